package io.quarry.agent.cli;

import io.quarry.common.api.StorageApi;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** Fills an image from a file, going on where an earlier upload broke off. */
@Command(
    name = "upload",
    description = "Fills an image from a file, going on where an earlier upload broke off.",
    footer = {"", "Example:", "  quarry image upload main IMAGE disk.raw"})
final class ImageUpload extends ApiCommand {
  @Parameters(index = "0", paramLabel = "REPO", description = "A connected repository.")
  private String repo = "";

  @Parameters(index = "1", paramLabel = "IMAGE", description = "The image's id.")
  private String image = "";

  @Parameters(index = "2", paramLabel = "FILE", description = "Where the data comes from.")
  private String file = "";

  @Override
  int run(StorageApi api, Output output) {
    throw NotBuilt.operation(
        "uploadImage",
        repo + "/" + image + " from " + file,
        "Open the image and write to its path with qemu-img convert -n.");
  }
}
