package io.quarry.agent.cli;

import io.quarry.common.api.Committed;
import io.quarry.common.api.StorageApi;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** Pauses a fix. */
@Command(
    name = "pause",
    description = {
      "Pauses a fix: whoever works on it lets go at a checkpoint, and nobody takes it.",
      "quarry queue resume ends the pause."
    },
    footer = {"", "Example:", "  quarry queue pause main FIX"})
final class QueuePause extends ApiCommand {
  @Parameters(index = "0", paramLabel = "REPO", description = "A connected repository.")
  private String repo = "";

  @Parameters(
      index = "1",
      paramLabel = "FIX",
      description = "The fix's id, from quarry queue list.")
  private String fix = "";

  @Override
  int run(StorageApi api, Output output) {
    Committed done = api.pauseFix(repo, fix, null);
    output.print(done, () -> "paused " + fix);
    return Exit.DONE;
  }
}
