package io.quarry.agent.storage.directory;

import static org.assertj.core.api.Assertions.assertThat;

import io.quarry.agent.data.os.Folder;
import io.quarry.coordinator.log.CommitLog;
import io.quarry.coordinator.log.CommitLog.Outcome;
import io.quarry.coordinator.log.Contender;
import io.quarry.coordinator.log.LogReader;
import io.quarry.coordinator.log.LogState;
import io.quarry.coordinator.plan.RecentRequests;
import io.quarry.coordinator.plan.Reply;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Real threads over one real directory: two SDMs that never give way, and a reader. */
class RacingSdmsTest {
  private static final int COMMITS = 2_000;
  private static final int CHECKPOINT_EVERY = 40;

  @TempDir(factory = MemoryTempDir.class)
  Path root;

  private final Map<String, Reply> acknowledged = new ConcurrentHashMap<>();
  private final Map<String, Reply> refused = new ConcurrentHashMap<>();
  private final AtomicBoolean done = new AtomicBoolean();

  @Test
  void acknowledgedRequestsAreInTheLogAndRefusedOnesAreNot() throws Exception {
    Files.createDirectories(root.resolve("log"));
    Files.createDirectories(root.resolve("tmp"));
    try (DirectorySlotStore store = new DirectorySlotStore(Folder.open(root), "creator")) {
      CommitLog.create(store);
    }
    try (ExecutorService threads = Executors.newCachedThreadPool()) {
      List<Future<Integer>> running = new ArrayList<>();
      running.add(threads.submit(candidate("a")));
      running.add(threads.submit(candidate("b")));
      Future<Integer> reader = threads.submit(this::read);
      int terms = 0;
      for (Future<Integer> one : running) {
        terms += one.get();
      }
      done.set(true);
      assertThat(reader.get()).isPositive();
      assertThat(terms).isGreaterThan(1);
    }
    try (DirectorySlotStore store = new DirectorySlotStore(Folder.open(root), "judge")) {
      RecentRequests log = new LogReader(store).load().repository().requests();
      acknowledged.forEach((id, reply) -> assertThat(log.find(id)).as(id).isEqualTo(reply));
      refused.forEach((id, reply) -> assertThat(log.find(id)).as(id).isNull());
      assertThat(store.list()).hasSizeLessThan(4 * CHECKPOINT_EVERY);
    }
  }

  private Callable<Integer> candidate(String name) {
    return () -> {
      int terms = 0;
      try (DirectorySlotStore store = new DirectorySlotStore(Folder.open(root), name)) {
        for (int attempts = 0; acknowledged.size() < COMMITS; terms++) {
          Contender sdm = new Contender(store, name + "." + terms);
          boolean leading = sdm.lead() instanceof Outcome.Committed;
          while (leading && acknowledged.size() < COMMITS) {
            String requestId = name + "-" + attempts++;
            leading = commit(sdm, requestId);
            if (leading && sdm.state.sequence() % CHECKPOINT_EVERY == 0) {
              sdm.checkpoint();
            }
          }
        }
      }
      return terms;
    };
  }

  private boolean commit(Contender sdm, String requestId) throws Exception {
    Reply reply = sdm.entries(sdm.state, requestId).getFirst().reply();
    return switch (sdm.commit(requestId)) {
      case Outcome.Committed committed -> {
        acknowledged.put(requestId, reply);
        yield committed.state().position().writer().equals(sdm.name);
      }
      case Outcome.NotCommitted not -> {
        refused.put(requestId, reply);
        yield false;
      }
      case Outcome.Unknown unknown -> throw new AssertionError(unknown.cause());
    };
  }

  /** A reader sees all records that were acknowledged before its look. */
  private Integer read() throws Exception {
    int looks = 0;
    try (DirectorySlotStore store = new DirectorySlotStore(Folder.open(root), "reader")) {
      LogReader reader = new LogReader(store);
      LogState seen = LogState.EMPTY;
      for (; !done.get(); looks++) {
        Map<String, Reply> before = Map.copyOf(acknowledged);
        LogState now = looks % 2 == 0 ? reader.catchUp(seen) : reader.load();
        assertThat(now.sequence()).isGreaterThanOrEqualTo(seen.sequence());
        before.forEach((id, reply) ->
            assertThat(now.repository().requests().find(id)).as(id).isEqualTo(reply));
        seen = now;
      }
    }
    return looks;
  }
}
