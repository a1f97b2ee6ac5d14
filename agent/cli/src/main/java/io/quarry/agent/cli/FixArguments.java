package io.quarry.agent.cli;

import picocli.CommandLine.Parameters;

/** The arguments of all commands about one queued fix. */
final class FixArguments {
  @Parameters(index = "0", paramLabel = "REPO", description = "A connected repository.")
  private String repo = "";

  @Parameters(
      index = "1",
      paramLabel = "FIX",
      description = "The fix's id, from quarry queue list.")
  private String fix = "";

  String repo() {
    return repo;
  }

  String fix() {
    return fix;
  }
}
