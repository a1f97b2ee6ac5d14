package io.quarry.agent.cli;

import io.quarry.common.api.CreateVirtualDiskRequest;
import io.quarry.common.api.CreatedImage;
import io.quarry.common.api.StorageApi;
import io.quarry.common.model.ImageState;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Creates a virtual disk, empty or over a snapshot. */
@Command(
    name = "create",
    description = "Creates a virtual disk, empty or over a snapshot, and prints its id.",
    footer = {"", "Example:", "  quarry disk create main 10G --base SNAPSHOT"})
final class DiskCreate extends ApiCommand {
  @Parameters(index = "0", paramLabel = "REPO", description = "Where to create it.")
  private String repo = "";

  @Parameters(
      index = "1",
      paramLabel = "SIZE",
      converter = Size.OfImage.class,
      description = "Such as 10G, 512M or bytes; a multiple of 512.")
  private Size size = new Size(0);

  @Option(
      names = "--base",
      paramLabel = "SNAPSHOT",
      description = "Start with this snapshot's content. Default: an empty disk.")
  private @Nullable String base;

  @Mixin private ImageOptionsMixin image = new ImageOptionsMixin();
  @Mixin private WaitOptions wait = new WaitOptions();

  @Override
  int run(StorageApi api, Output output) {
    CreatedImage made =
        api.createVirtualDisk(
            repo,
            new CreateVirtualDiskRequest(size.bytes(), base, image.userData(), image.options()),
            null);
    return new Creation(api, main().shell(), output, wait)
        .finish(repo, made, made.imageId(), ImageState.OPTIMIZED, image.autoFix());
  }
}
