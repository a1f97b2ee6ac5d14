package io.quarry.agent.repository;

import io.quarry.coordinator.cluster.ClusterUnavailableException;
import io.quarry.coordinator.cluster.Enqueued;
import io.quarry.coordinator.cluster.FixEntry;
import io.quarry.coordinator.cluster.FixQueue;
import io.quarry.coordinator.cluster.QueuedFix;
import io.quarry.coordinator.log.Replica;
import io.quarry.coordinator.plan.FixState;
import io.quarry.coordinator.plan.RepositoryState;
import io.quarry.coordinator.thread.Loop;
import io.quarry.coordinator.thread.Supervisor;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Finds workers for the fixes in the repository's state while this host is the SDM. Light fixes are
 * granted; for heavy fixes the queue in ZooKeeper is kept in line with the state. The queue holds
 * no data that the state lacks, so a wiped queue is filled again. One thread compares the queue
 * with the state whenever either has changed.
 */
final class QueueKeeper implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(QueueKeeper.class);

  /**
   * The longest time between two comparisons: timers run out, and a cache may have missed a change.
   */
  private static final Duration ROUND = Duration.ofMillis(500);

  /** Changes of a burst are handled together after this time. */
  private static final Duration GATHER = Duration.ofMillis(10);

  private final String name;
  private final String key;
  private final Replica replica;
  private final FixQueue queue;
  private final Grants grants;
  private final Clock clock;
  private final Loop loop;
  private volatile boolean leading;

  QueueKeeper(
      String name, String key, Replica replica, FixQueue queue, Grants grants, Clock clock) {
    this.name = name;
    this.key = key;
    this.replica = replica;
    this.queue = queue;
    this.grants = grants;
    this.clock = clock;
    this.loop = new Loop("queue-keeper-" + name, ROUND, this::keep);
  }

  void start(Supervisor supervisor) {
    loop.start(supervisor);
  }

  void lead() {
    leading = true;
    wake();
  }

  void rest() {
    leading = false;
  }

  void wake() {
    loop.wakeWithin(GATHER);
  }

  private void keep() throws InterruptedException {
    if (!leading) {
      return;
    }
    try {
      grants.give(replica.state().repository());
      if (queue.current()) {
        reconcile(replica.state().repository());
      }
    } catch (ClusterUnavailableException e) {
      LOG.debug("The queue of {} has to wait: {}", name, e.toString());
    }
  }

  private void reconcile(RepositoryState state) throws ClusterUnavailableException {
    Set<String> queued = new HashSet<>();
    Set<String> claimed = queue.claims().keySet();
    for (QueuedFix entry : queue.entries()) {
      FixState fix = state.fixes().get(entry.fix().fixId());
      boolean outdated =
          fix == null
              || !fix.runnable()
              || !fix.heavy()
              || fix.failures() != entry.fix().failures()
              || (!claimed.contains(entry.name())
                  && !FixRequirements.required(fix, state, key).equals(entry.fix().requires()));
      if (outdated) {
        queue.remove(entry);
      } else {
        queued.add(entry.fix().fixId());
      }
    }
    if (queued.size() >= FixQueue.QUEUED_FIXES_MAX) {
      return;
    }
    List<FixState> missing =
        state.work().toQueue().stream()
            .filter(fixId -> !queued.contains(fixId))
            .map(fixId -> Objects.requireNonNull(state.fixes().get(fixId)))
            .sorted(Comparator.comparingInt(fix -> fix.type().priority()))
            .toList();
    for (FixState fix : missing) {
      if (queue.enqueue(entryOf(fix, state)) == Enqueued.FULL) {
        return;
      }
    }
  }

  private FixEntry entryOf(FixState fix, RepositoryState state) {
    Instant now = clock.instant();
    return new FixEntry(
        fix.id(),
        fix.type().label(),
        100 - fix.type().priority(),
        fix.imageId() == null ? "" : fix.imageId(),
        fix.failures(),
        now,
        fix.retryAt(),
        fix.heavy(),
        FixRequirements.required(fix, state, key));
  }

  @Override
  public void close() {
    loop.close();
  }
}
