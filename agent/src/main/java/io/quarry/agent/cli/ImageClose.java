package io.quarry.agent.cli;

import io.quarry.common.api.Committed;
import io.quarry.common.api.StorageApi;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** Closes an image that was opened. */
@Command(
    name = "close",
    description = "Closes an image that was opened.",
    footer = {"", "Example:", "  quarry image close main IMAGE OPEN"})
final class ImageClose extends ApiCommand {
  @Parameters(index = "0", paramLabel = "REPO", description = "A connected repository.")
  private String repo = "";

  @Parameters(index = "1", paramLabel = "IMAGE", description = "The image's id.")
  private String image = "";

  @Parameters(index = "2", paramLabel = "OPEN", description = "The open's id, from image open.")
  private String open = "";

  @Override
  int run(StorageApi api, Output output) {
    Committed closed = api.closeImage(repo, image, open, null);
    output.print(closed, () -> "closed " + image);
    return Exit.DONE;
  }
}
