package io.quarry.agent.cli;

import io.quarry.common.api.CreateSnapshotRequest;
import io.quarry.common.api.CreatedImage;
import io.quarry.common.api.StorageApi;
import io.quarry.common.model.ImageState;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** Makes a snapshot of a disk. */
@Command(
    name = "create",
    description = "Makes a snapshot of a disk's content now, and prints its id.",
    footer = {"", "Example:", "  quarry snapshot create main DISK"})
final class SnapshotCreate extends ApiCommand {
  @Parameters(index = "0", paramLabel = "REPO", description = "Where the disk is.")
  private String repo = "";

  @Parameters(index = "1", paramLabel = "DISK", description = "The disk's id.")
  private String disk = "";

  @Mixin private ImageOptionsMixin image = new ImageOptionsMixin();
  @Mixin private WaitOptions wait = new WaitOptions();

  /** The snapshot is whole at once; the command waits for the disk's new overlay. */
  @Override
  int run(StorageApi api, Output output) {
    CreatedImage made =
        api.createSnapshot(
            repo, new CreateSnapshotRequest(disk, image.userData(), image.options()), null);
    return new Creation(api, main().shell(), output, wait)
        .finish(repo, made, disk, ImageState.DEGRADED, image.autoFix());
  }
}
