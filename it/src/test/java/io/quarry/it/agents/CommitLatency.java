package io.quarry.it.agents;

import io.quarry.agent.data.os.Folder;
import io.quarry.agent.storage.directory.DirectorySlotStore;
import io.quarry.coordinator.log.CommitLog;
import io.quarry.coordinator.log.CommitLog.Outcome;
import io.quarry.coordinator.log.LogRecord.Entry;
import io.quarry.coordinator.log.LogState;
import io.quarry.coordinator.plan.Reply;
import io.quarry.it.bench.BarePrimitive;
import io.quarry.it.bench.Samples;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;

/**
 * One SDM without an agent, and the steps that no commit can avoid, by turns on one mount. Prints
 * {@code COMMIT} and {@code BARE}, each with milliseconds: p50, p99.
 */
final class CommitLatency {
  private static final int ROUNDS = 4;

  private CommitLatency() {}

  /** Arguments: a directory, how many commits. */
  public static void main(String[] args) throws IOException {
    Path directory = Path.of(args[0]);
    int each = Integer.parseInt(args[1]) / ROUNDS;
    Path commits = Files.createDirectories(directory.resolve("commits"));
    Files.createDirectories(commits.resolve("log"));
    Files.createDirectories(commits.resolve("tmp"));
    long[] bare = new long[0];
    long[] logged = new long[0];
    try (DirectorySlotStore store = new DirectorySlotStore(Folder.open(commits), "a")) {
      CommitLog.create(store);
      CommitLog log = new CommitLog(store, "a");
      LogState state = committed(log.beginTerm(LogState.EMPTY, Instant.now()));
      for (int round = 0; round < ROUNDS; round++) {
        Path own = Files.createDirectories(directory.resolve("bare" + round));
        bare = joined(bare, BarePrimitive.run(own, each).sorted());
        long[] nanos = new long[each];
        for (int i = 0; i < each; i++) {
          String id = round + "." + i;
          Reply reply = new Reply("createVirtualDisk", id, state.sequence() + 1);
          long start = System.nanoTime();
          state =
              committed(log.commit(state, List.of(new Entry(id, reply, List.of())), Instant.now()));
          nanos[i] = System.nanoTime() - start;
        }
        logged = joined(logged, nanos);
      }
    }
    print("BARE", bare);
    print("COMMIT", logged);
  }

  private static LogState committed(Outcome outcome) {
    if (outcome instanceof Outcome.Committed committed) {
      return committed.state();
    }
    throw new IllegalStateException(outcome.toString());
  }

  private static long[] joined(long[] some, long[] more) {
    long[] all = Arrays.copyOf(some, some.length + more.length);
    System.arraycopy(more, 0, all, some.length, more.length);
    return all;
  }

  private static void print(String what, long[] nanos) {
    Samples samples = Samples.of(nanos);
    System.out.printf("%s %.2f %.2f%n", what, samples.millis(0.5), samples.millis(0.99));
  }
}
