package io.quarry.common.api;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * @param next the {@code after} of the next page; null on the last one
 */
public record TaskPage(List<TaskInfo> tasks, @Nullable String next) {
  public TaskPage {
    tasks = List.copyOf(tasks);
  }
}
