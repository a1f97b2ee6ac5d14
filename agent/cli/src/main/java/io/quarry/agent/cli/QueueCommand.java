package io.quarry.agent.cli;

import io.quarry.common.api.Committed;
import io.quarry.common.api.StorageApi;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** The group of commands about outstanding fixes. */
@Command(
    name = "queue",
    description = "Commands about outstanding fixes.",
    footer = {"", "Example:", "  quarry queue list main"},
    subcommands = {QueueList.class, QueueCommand.Pause.class, QueueCommand.Resume.class})
final class QueueCommand extends Group {
  /** Changes what becomes of one queued fix. */
  abstract static class OfFix extends ApiCommand {
    @Parameters(index = "0", paramLabel = "REPO", description = "A connected repository.")
    String repo = "";

    @Parameters(
        index = "1",
        paramLabel = "FIX",
        description = "The fix's id, from quarry queue list.")
    String fix = "";

    final int print(Output output, Committed done, String what) {
      output.print(done, () -> what + " " + fix);
      return Exit.DONE;
    }
  }

  /** Pauses a fix. */
  @Command(
      name = "pause",
      description = {
        "Pauses a fix: the host that works on it lets go at a checkpoint, and no host takes it.",
        "quarry queue resume ends the pause."
      },
      footer = {"", "Example:", "  quarry queue pause main FIX"})
  static final class Pause extends OfFix {
    @Override
    int run(StorageApi api, Output output) {
      return print(output, api.pauseFix(repo, fix, null), "paused");
    }
  }

  /** Ends the pause of a fix. */
  @Command(
      name = "resume",
      description = "Ends the pause of a fix; it goes on from its last checkpoint.",
      footer = {"", "Example:", "  quarry queue resume main FIX"})
  static final class Resume extends OfFix {
    @Override
    int run(StorageApi api, Output output) {
      return print(output, api.resumeFix(repo, fix, null), "resumed");
    }
  }
}
