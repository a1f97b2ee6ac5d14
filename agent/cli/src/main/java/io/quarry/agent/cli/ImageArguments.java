package io.quarry.agent.cli;

import picocli.CommandLine.Parameters;

/** The first arguments of all commands about one image. */
final class ImageArguments {
  @Parameters(index = "0", paramLabel = "REPO", description = "A connected repository.")
  private String repo = "";

  @Parameters(index = "1", paramLabel = "IMAGE", description = "The image's id.")
  private String image = "";

  String repo() {
    return repo;
  }

  String image() {
    return image;
  }
}
