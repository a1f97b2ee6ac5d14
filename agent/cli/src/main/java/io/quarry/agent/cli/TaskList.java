package io.quarry.agent.cli;

import io.quarry.common.api.StorageApi;
import io.quarry.common.api.TaskInfo;
import io.quarry.common.model.Progress;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Lists the fixes that run right now. */
@Command(
    name = "list",
    description = "Lists the fixes that run right now, on all live hosts.",
    footer = {"", "Example:", "  quarry task list --host host-1"})
final class TaskList extends ApiCommand {
  @Option(names = "--host", paramLabel = "HOST", description = "Only this host's.")
  private @Nullable String host;

  @Override
  int run(StorageApi api, Output output) {
    List<TaskInfo> tasks = api.listTasks(host);
    output.print(tasks, () -> tasks.isEmpty() ? nothing() : table(tasks));
    return Exit.DONE;
  }

  private String nothing() {
    return host == null ? "nothing runs" : "nothing runs on " + host;
  }

  private static Table table(List<TaskInfo> tasks) {
    Table table =
        new Table(
            "TASK", "REPO", "TYPE", "IMAGE", "STAGE", ">COMPLETE", ">DONE", ">RATE", "STARTED");
    for (TaskInfo task : tasks) {
      Progress progress = task.progress();
      table.row(
          task.taskId(),
          task.repoId(),
          task.type().label(),
          task.imageId(),
          progress == null ? null : progress.stage() + " " + progress.stageName(),
          progress == null ? null : Units.percent(progress.percentComplete()),
          progress == null ? null : Units.bytes(progress.bytesDone()),
          Units.rate(task.bytesPerSecond()),
          Units.time(task.startedAt()));
    }
    return table;
  }
}
