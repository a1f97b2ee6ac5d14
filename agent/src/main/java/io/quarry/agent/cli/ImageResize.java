package io.quarry.agent.cli;

import io.quarry.common.api.StorageApi;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** Makes an image larger. */
@Command(
    name = "resize",
    description = "Makes an image larger.",
    footer = {"", "Example:", "  quarry image resize main IMAGE 20G"})
final class ImageResize extends ApiCommand {
  @Parameters(index = "0", paramLabel = "REPO", description = "A connected repository.")
  private String repo = "";

  @Parameters(index = "1", paramLabel = "IMAGE", description = "The image's id.")
  private String image = "";

  @Parameters(
      index = "2",
      paramLabel = "SIZE",
      converter = Size.Converter.class,
      description = "The new size, such as 20G.")
  private Size size = new Size(0);

  @Override
  int run(StorageApi api, Output output) {
    throw NotBuilt.operation(
        "resizeImage",
        repo + "/" + image + " to " + size.bytes(),
        "Create a larger disk over a snapshot of this one.");
  }
}
