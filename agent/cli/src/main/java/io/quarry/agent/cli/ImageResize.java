package io.quarry.agent.cli;

import io.quarry.common.api.Committed;
import io.quarry.common.api.StorageApi;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** Makes a disk larger. */
@Command(
    name = "resize",
    description = {
      "Makes a disk larger; what it gets more reads as zeros.",
      "No VM may have the disk open for writing. A disk never gets smaller."
    },
    footer = {"", "Example:", "  quarry image resize main DISK 20G"})
final class ImageResize extends ApiCommand {
  @Parameters(index = "0", paramLabel = "REPO", description = "A connected repository.")
  private String repo = "";

  @Parameters(index = "1", paramLabel = "DISK", description = "The disk's id.")
  private String disk = "";

  @Parameters(
      index = "2",
      paramLabel = "SIZE",
      converter = Size.OfImage.class,
      description = "The new size, such as 20G; a multiple of 512.")
  private Size size = new Size(0);

  @Override
  int run(StorageApi api, Output output) {
    Committed done = api.resizeImage(repo, disk, size.bytes(), null);
    output.print(done, () -> disk + " has " + Units.bytes(size.bytes()));
    return Exit.DONE;
  }
}
