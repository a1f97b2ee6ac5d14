package io.quarry.it.bench;

import io.quarry.coordinator.log.Checkpointer;
import io.quarry.coordinator.log.CommitLog;
import io.quarry.coordinator.log.CommitLog.Outcome;
import io.quarry.coordinator.log.LogRecord.Entry;
import io.quarry.coordinator.log.LogState;
import io.quarry.coordinator.log.SlotStore;
import io.quarry.coordinator.plan.Reply;
import java.io.IOException;
import java.time.Instant;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/** One SDM without an agent, and other steps, by turns on one storage. */
public final class CommitLatency {
  private static final int ROUNDS = 4;
  private static final String COMMIT = "COMMIT";

  private final Map<String, long[]> nanos = new LinkedHashMap<>();

  private CommitLatency() {}

  /** Steps to compare a commit with. */
  @FunctionalInterface
  public interface Steps {
    Samples run(int round, int times) throws IOException;
  }

  /**
   * Measures so many of each, in a new log.
   *
   * @param steps by their names
   */
  public static CommitLatency measure(SlotStore store, int times, Map<String, Steps> steps)
      throws IOException {
    CommitLatency latency = new CommitLatency();
    CommitLog.create(store);
    CommitLog log = new CommitLog(store, "a");
    LogState state = committed(log.beginTerm(LogState.EMPTY, Instant.now()));
    int each = times / ROUNDS;
    for (int round = 0; round < ROUNDS; round++) {
      for (Map.Entry<String, Steps> other : steps.entrySet()) {
        latency.add(other.getKey(), other.getValue().run(round, each).sorted());
      }
      long[] commits = new long[each];
      for (int i = 0; i < each; i++) {
        String id = round + "." + i;
        Reply reply = new Reply("createVirtualDisk", id, state.sequence() + 1);
        long start = System.nanoTime();
        state =
            committed(log.commit(state, List.of(new Entry(id, reply, List.of())), Instant.now()));
        commits[i] = System.nanoTime() - start;
        if (store.wantsCheckpoint()) {
          new Checkpointer(store).checkpoint(state);
        }
      }
      latency.add(COMMIT, commits);
    }
    return latency;
  }

  private static LogState committed(Outcome outcome) {
    if (outcome instanceof Outcome.Committed committed) {
      return committed.state();
    }
    throw new IllegalStateException(outcome.toString());
  }

  private void add(String what, long[] more) {
    nanos.merge(what, more, CommitLatency::joined);
  }

  private static long[] joined(long[] some, long[] more) {
    long[] all = Arrays.copyOf(some, some.length + more.length);
    System.arraycopy(more, 0, all, some.length, more.length);
    return all;
  }

  Samples commits() {
    return of(COMMIT);
  }

  Samples of(String steps) {
    return Samples.of(Objects.requireNonNull(nanos.get(steps), steps));
  }

  /** Prints a line for the commits and for each of the steps, with milliseconds: p50, p99. */
  public void print() {
    for (String what : nanos.keySet()) {
      Samples samples = of(what);
      System.out.printf("%s %.3f %.3f%n", what, samples.millis(0.5), samples.millis(0.99));
    }
  }
}
