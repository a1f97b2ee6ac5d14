package io.quarry.agent.cli;

import io.quarry.common.api.StorageApi;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** The group of commands about running tasks. */
@Command(
    name = "task",
    description = "Commands about running tasks.",
    footer = {"", "Example:", "  quarry task list"},
    subcommands = {TaskList.class, TaskCommand.Stop.class, TaskCommand.Release.class})
final class TaskCommand extends Group {
  /** Changes what becomes of one task. */
  abstract static class OfTask extends ApiCommand {
    @Parameters(paramLabel = "TASK", description = "The task's id, from quarry task list.")
    String task = "";

    final int print(Output output, String what) {
      output.print(Map.of("taskId", task), () -> what + " " + task);
      return Exit.DONE;
    }
  }

  /** Stops a task. */
  @Command(
      name = "stop",
      description = {
        "Stops a task: its fix leaves the queue, the image stays as it is.",
        "quarry fix goes on with it from the last checkpoint."
      },
      footer = {"", "Example:", "  quarry task stop TASK"})
  static final class Stop extends OfTask {
    @Override
    int run(StorageApi api, Output output) {
      api.stopTask(task);
      return print(output, "stopped");
    }
  }

  /** Makes a host let go of a task. */
  @Command(
      name = "release",
      description = {
        "Makes the host let go of a task.",
        "Any host may take it up again, from the last checkpoint."
      },
      footer = {"", "Example:", "  quarry task release TASK"})
  static final class Release extends OfTask {
    @Override
    int run(StorageApi api, Output output) {
      api.releaseTask(task);
      return print(output, "released");
    }
  }
}
