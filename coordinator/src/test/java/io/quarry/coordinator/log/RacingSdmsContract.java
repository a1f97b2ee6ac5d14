package io.quarry.coordinator.log;

import static org.assertj.core.api.Assertions.assertThat;

import io.quarry.coordinator.log.CommitLog.Outcome;
import io.quarry.coordinator.plan.RecentRequests;
import io.quarry.coordinator.plan.Reply;
import java.io.IOException;
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

/** Real threads over one real storage: two SDMs that never give way, and a reader. */
public abstract class RacingSdmsContract {
  private static final int CHECKPOINT_EVERY = 40;

  private final Map<String, Reply> acknowledged = new ConcurrentHashMap<>();
  private final Map<String, Reply> refused = new ConcurrentHashMap<>();
  private final AtomicBoolean done = new AtomicBoolean();

  /** How many commits to race for. */
  protected abstract int commits();

  /** The one storage, as a host of that name sees it. */
  protected abstract SlotStore open(String name) throws IOException;

  @Test
  void acknowledgedRequestsAreInTheLogAndRefusedOnesAreNot() throws Exception {
    CommitLog.create(open("creator"));
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
    SlotStore store = open("judge");
    RecentRequests log = new LogReader(store).load().repository().requests();
    acknowledged.forEach((id, reply) -> assertThat(log.find(id)).as(id).isEqualTo(reply));
    refused.forEach((id, reply) -> assertThat(log.find(id)).as(id).isNull());
    assertThat(store.list()).hasSizeLessThan(4 * CHECKPOINT_EVERY);
  }

  private Callable<Integer> candidate(String name) {
    return () -> {
      int terms = 0;
      SlotStore store = open(name);
      for (int attempts = 0; acknowledged.size() < commits(); terms++) {
        Contender sdm = new Contender(store, name + "." + terms);
        boolean leading = sdm.lead() instanceof Outcome.Committed;
        while (leading && acknowledged.size() < commits()) {
          String requestId = name + "-" + attempts++;
          leading = commit(sdm, requestId);
          if (leading && sdm.state.sequence() % CHECKPOINT_EVERY == 0) {
            sdm.checkpoint();
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
    LogReader reader = new LogReader(open("reader"));
    LogState seen = LogState.EMPTY;
    for (; !done.get(); looks++) {
      Map<String, Reply> before = Map.copyOf(acknowledged);
      LogState now = looks % 2 == 0 ? reader.catchUp(seen) : reader.load();
      assertThat(now.sequence()).isGreaterThanOrEqualTo(seen.sequence());
      before.forEach(
          (id, reply) -> assertThat(now.repository().requests().find(id)).as(id).isEqualTo(reply));
      seen = now;
    }
    return looks;
  }
}
