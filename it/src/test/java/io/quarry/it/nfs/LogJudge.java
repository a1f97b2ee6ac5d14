package io.quarry.it.nfs;

import io.quarry.agent.data.os.Folder;
import io.quarry.agent.storage.directory.DirectorySlotStore;
import io.quarry.coordinator.log.LogReader;
import io.quarry.coordinator.log.LogState;
import io.quarry.coordinator.log.LogUnreadableException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;

/**
 * What became of acknowledged commits in a copy of a repository's log.
 *
 * @param missing commits that are not in the log
 * @param damage what a reader of the log reports; empty when all records are whole
 */
record LogJudge(List<String> missing, List<String> damage) {
  static LogJudge judge(Path repository, Collection<String> acknowledged) throws IOException {
    LogState state;
    try (DirectorySlotStore store = new DirectorySlotStore(Folder.open(repository), "judge")) {
      state = new LogReader(store).load();
    } catch (LogUnreadableException e) {
      return new LogJudge(List.of(), List.of(String.valueOf(e.getMessage())));
    }
    var requests = state.repository().requests();
    List<String> missing = acknowledged.stream().filter(id -> requests.find(id) == null).toList();
    return new LogJudge(missing, List.of());
  }

  boolean nothingLost() {
    return missing.isEmpty() && damage.isEmpty();
  }
}
