package io.quarry.agent.cli;

import io.quarry.common.api.Committed;
import io.quarry.common.api.StorageApi;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** Undoes the removal of an image that is still retained. */
@Command(
    name = "restore",
    description = "Undoes the removal of an image that is retained or not cleaned yet.",
    footer = {"", "Example:", "  quarry image restore main IMAGE"})
final class ImageRestore extends ApiCommand {
  @Parameters(index = "0", paramLabel = "REPO", description = "A connected repository.")
  private String repo = "";

  @Parameters(index = "1", paramLabel = "IMAGE", description = "The image's id.")
  private String image = "";

  @Override
  int run(StorageApi api, Output output) {
    Committed restored = api.restoreImage(repo, image, null);
    output.print(restored, () -> "restored " + image);
    return Exit.DONE;
  }
}
