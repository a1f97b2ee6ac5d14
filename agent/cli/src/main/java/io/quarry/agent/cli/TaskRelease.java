package io.quarry.agent.cli;

import io.quarry.common.api.StorageApi;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** Makes a host let go of a task. */
@Command(
    name = "release",
    description = {
      "Makes the host let go of a task.",
      "Any host may take it up again, from the last checkpoint."
    },
    footer = {"", "Example:", "  quarry task release TASK"})
final class TaskRelease extends ApiCommand {
  @Parameters(paramLabel = "TASK", description = "The task's id, from quarry task list.")
  private String task = "";

  @Override
  int run(StorageApi api, Output output) {
    api.releaseTask(task);
    output.print(Map.of("taskId", task), () -> "released " + task);
    return Exit.DONE;
  }
}
