package io.quarry.agent.cli;

import io.quarry.common.api.FixInfo;
import io.quarry.common.api.StorageApi;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** Lists the outstanding fixes of a repository. */
@Command(
    name = "list",
    description = {
      "Lists the outstanding fixes of a repository, most urgent first.",
      "A fix is queued, running, retrying, parked after failures, paused, waiting to be asked"
          + " for, or has to wait for space (noSpace)."
    },
    footer = {"", "Example:", "  quarry queue list main"})
final class QueueList extends ApiCommand {
  @Parameters(paramLabel = "REPO", description = "A connected repository.")
  private String repo = "";

  @Override
  int run(StorageApi api, Output output) {
    List<FixInfo> fixes = api.listFixes(repo, 0);
    output.print(fixes, () -> fixes.isEmpty() ? "nothing is outstanding" : table(fixes));
    return Exit.DONE;
  }

  private static Table table(List<FixInfo> fixes) {
    Table table =
        new Table("FIX", "TYPE", "IMAGE", "STATE", "HOST", ">FAILURES", "RETRY", "LAST ERROR");
    for (FixInfo fix : fixes) {
      table.row(
          fix.fixId(),
          fix.type().label(),
          fix.imageId(),
          fix.state(),
          fix.hostId(),
          fix.failures(),
          fix.nextRetryAt() == null ? null : Units.time(fix.nextRetryAt()),
          fix.waitsFor() == null ? fix.lastError() : fix.waitsFor());
    }
    return table;
  }
}
