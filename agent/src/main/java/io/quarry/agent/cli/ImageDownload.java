package io.quarry.agent.cli;

import io.quarry.common.api.StorageApi;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** Writes an image's content to a file, going on where an earlier download broke off. */
@Command(
    name = "download",
    description =
        "Writes an image's content to a file, going on where an earlier download broke off.",
    footer = {"", "Example:", "  quarry image download main IMAGE disk.raw"})
final class ImageDownload extends ApiCommand {
  @Parameters(index = "0", paramLabel = "REPO", description = "A connected repository.")
  private String repo = "";

  @Parameters(index = "1", paramLabel = "IMAGE", description = "The image's id.")
  private String image = "";

  @Parameters(index = "2", paramLabel = "FILE", description = "Where the data goes.")
  private String file = "";

  @Override
  int run(StorageApi api, Output output) {
    throw NotBuilt.operation(
        "downloadImage",
        repo + "/" + image + " to " + file,
        "Open the image read-only and read its path with qemu-img convert.");
  }
}
