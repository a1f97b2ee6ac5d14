package io.quarry.it.log;

import io.quarry.coordinator.log.LogReader;
import io.quarry.coordinator.log.LogState;
import io.quarry.coordinator.log.LogUnreadableException;
import io.quarry.coordinator.log.SlotStore;
import java.io.IOException;
import java.util.Collection;
import java.util.List;

/**
 * What became of commits in a log.
 *
 * @param missing acknowledged commits that are not in the log
 * @param unwanted refused commits that are in the log
 * @param damage what a reader of the log reports; empty when all records are whole
 */
public record LogJudge(List<String> missing, List<String> unwanted, List<String> damage) {
  public static LogJudge judge(
      SlotStore store, Collection<String> acknowledged, Collection<String> refused)
      throws IOException {
    LogState state;
    try {
      state = new LogReader(store).load();
    } catch (LogUnreadableException e) {
      return new LogJudge(List.of(), List.of(), List.of(String.valueOf(e.getMessage())));
    }
    var requests = state.repository().requests();
    return new LogJudge(
        acknowledged.stream().filter(id -> requests.find(id) == null).toList(),
        refused.stream().filter(id -> requests.find(id) != null).toList(),
        List.of());
  }

  public boolean allIsWell() {
    return missing.isEmpty() && unwanted.isEmpty() && damage.isEmpty();
  }
}
