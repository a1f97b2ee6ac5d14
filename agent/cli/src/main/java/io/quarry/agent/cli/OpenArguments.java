package io.quarry.agent.cli;

import picocli.CommandLine.Parameters;

/** The first arguments of commands about one open. */
final class OpenArguments {
  @Parameters(index = "0", paramLabel = "REPO", description = "A connected repository.")
  private String repo = "";

  @Parameters(index = "1", paramLabel = "OPEN", description = "The open's id, from open list.")
  private String open = "";

  String repo() {
    return repo;
  }

  String open() {
    return open;
  }
}
