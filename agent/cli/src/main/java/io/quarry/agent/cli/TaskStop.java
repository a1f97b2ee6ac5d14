package io.quarry.agent.cli;

import io.quarry.common.api.StorageApi;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** Stops a task. */
@Command(
    name = "stop",
    description = {
      "Stops a task: its fix leaves the queue, the image stays as it is.",
      "quarry fix goes on with it from the last checkpoint."
    },
    footer = {"", "Example:", "  quarry task stop TASK"})
final class TaskStop extends ApiCommand {
  @Parameters(paramLabel = "TASK", description = "The task's id, from quarry task list.")
  private String task = "";

  @Override
  int run(StorageApi api, Output output) {
    api.stopTask(task);
    output.print(Map.of("taskId", task), () -> "stopped " + task);
    return Exit.DONE;
  }
}
