package io.quarry.agent.cli;

import io.quarry.common.api.Committed;
import io.quarry.common.api.StorageApi;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** Ends the pause of a fix. */
@Command(
    name = "resume",
    description = "Ends the pause of a fix; it goes on from its last checkpoint.",
    footer = {"", "Example:", "  quarry queue resume main FIX"})
final class QueueResume extends ApiCommand {
  @Parameters(index = "0", paramLabel = "REPO", description = "A connected repository.")
  private String repo = "";

  @Parameters(
      index = "1",
      paramLabel = "FIX",
      description = "The fix's id, from quarry queue list.")
  private String fix = "";

  @Override
  int run(StorageApi api, Output output) {
    Committed done = api.resumeFix(repo, fix, null);
    output.print(done, () -> "resumed " + fix);
    return Exit.DONE;
  }
}
