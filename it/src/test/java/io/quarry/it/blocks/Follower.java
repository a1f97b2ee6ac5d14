package io.quarry.it.blocks;

import io.quarry.agent.storage.block.BlockSlotStore;
import io.quarry.coordinator.log.CommitHistory;
import io.quarry.coordinator.log.CommitHistory.Commit;
import io.quarry.coordinator.log.CommitHistory.Mark;
import io.quarry.coordinator.log.LogReader;
import io.quarry.coordinator.log.LogState;
import io.quarry.it.log.SharedLog;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** A host that reads each commit of the shared log, while others write. */
final class Follower implements AutoCloseable {
  private static final long POLL_MILLIS = 200;
  private static final int COMMITS_MAX = 1_000;

  private final BlockSlotStore store;
  private final LogReader reader;
  private final CommitHistory history;
  private final CountDownLatch stopped = new CountDownLatch(1);
  private final Thread thread = Thread.ofPlatform().unstarted(this::run);
  private final Map<String, Integer> times = new HashMap<>();
  private LogState state = LogState.EMPTY;
  private Mark mark = Mark.START;
  private int gaps;
  private @Nullable Exception failure;

  /**
   * What was read.
   *
   * @param times how often each request id was there
   * @param gaps how often the follower was too late for the next commit
   */
  record Seen(Map<String, Integer> times, int gaps) {
    List<String> repeated() {
      return times.entrySet().stream()
          .filter(each -> each.getValue() > 1)
          .map(Map.Entry::getKey)
          .toList();
    }
  }

  Follower(Path image) throws IOException {
    this.store = SharedLog.open(image, "follower");
    this.reader = new LogReader(store);
    this.history = new CommitHistory(store);
  }

  void start() {
    thread.start();
  }

  private void run() {
    try {
      while (!stopped.await(POLL_MILLIS, TimeUnit.MILLISECONDS)) {
        readOn();
      }
      readOn();
    } catch (IOException | InterruptedException | RuntimeException e) {
      failure = e;
    }
  }

  private void readOn() throws IOException {
    state = reader.catchUp(state);
    List<Commit> commits = history.after(mark, state.sequence(), COMMITS_MAX);
    if (commits == null) {
      gaps++;
      Mark oldest = history.oldest();
      mark = oldest == null ? mark : oldest;
      return;
    }
    for (Commit commit : commits) {
      commit.record().entries().forEach(entry -> times.merge(entry.requestId(), 1, Integer::sum));
      mark = commit.mark();
    }
  }

  /** Reads to the end of the log, and stops. */
  Seen stop() throws Exception {
    stopped.countDown();
    thread.join();
    if (failure != null) {
      throw failure;
    }
    return new Seen(Map.copyOf(times), gaps);
  }

  @Override
  public void close() {
    stopped.countDown();
    try {
      thread.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    store.close();
  }
}
