package io.quarry.agent.guardian;

import io.quarry.agent.guardian.SessionConnection.Outcome;
import io.quarry.coordinator.thread.Deadline;
import java.io.IOException;
import java.time.Duration;
import org.apache.zookeeper.KeeperException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells the cluster of an agent's death: first the proof, then the end of the session. So a host
 * that sees the agent's ephemeral znodes vanish already finds the proof.
 */
final class DeathNotice {
  /**
   * After that no host waits for the proof any more: other hosts have claimed the fixes without it.
   */
  static final Duration ATTEMPTS_FOR = Duration.ofHours(1);

  private static final Duration ATTEMPT = Duration.ofSeconds(10);
  private static final Duration PAUSE_MIN = Duration.ofMillis(200);
  private static final Duration PAUSE_MAX = Duration.ofSeconds(10);

  private static final Logger log = LoggerFactory.getLogger(DeathNotice.class);

  private final GuardedSession guarded;

  DeathNotice(GuardedSession guarded) {
    this.guarded = guarded;
  }

  /**
   * Publishes the proof and ends the session, even when ZooKeeper is absent at first or the session
   * has expired.
   */
  void publish() throws InterruptedException {
    log.info("Proving the death of {}", guarded);
    long started = System.nanoTime();
    if (repeat(() -> attempt(true))) {
      log.info(
          "Proved the death of {} after {} ms", guarded, (System.nanoTime() - started) / 1_000_000);
    } else {
      log.error("Gave up proving the death of {}: ZooKeeper stayed away", guarded);
    }
  }

  /** Ends the session alone: a process of the agent may still write, so no death is proven. */
  void closeWithoutProof() throws InterruptedException {
    if (repeat(() -> attempt(false))) {
      log.warn("Ended {} without proof of death", guarded);
    }
  }

  /**
   * Connects once beside the agent, so that the classes for a real notice are loaded and compiled.
   */
  static void rehearse(GuardedSession guarded) {
    try (SessionConnection connection = SessionConnection.fresh(guarded.session())) {
      if (connection.await(ATTEMPT) == Outcome.CONNECTED) {
        connection.rehearse(guarded.proof());
      }
    } catch (IOException | KeeperException failure) {
      log.debug("The rehearsal failed; the real thing will be some milliseconds slower", failure);
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private boolean attempt(boolean withProof)
      throws IOException, KeeperException, InterruptedException {
    try (SessionConnection attached = SessionConnection.attach(guarded.session())) {
      switch (attached.await(ATTEMPT)) {
        case CONNECTED -> {
          if (withProof) {
            attached.create(guarded.proof());
          }
          return true;
        }
        case UNREACHABLE -> {
          return false;
        }
        case EXPIRED -> log.info("{} has expired already", guarded);
      }
    }
    if (!withProof) {
      return true;
    }
    try (SessionConnection fresh = SessionConnection.fresh(guarded.session())) {
      if (fresh.await(ATTEMPT) != Outcome.CONNECTED) {
        return false;
      }
      fresh.create(guarded.proof());
      return true;
    }
  }

  private boolean repeat(Attempt attempt) throws InterruptedException {
    Deadline deadline = Deadline.after(ATTEMPTS_FOR);
    Duration pause = PAUSE_MIN;
    while (!deadline.passed()) {
      try {
        if (attempt.succeeds()) {
          return true;
        }
        log.warn("ZooKeeper {} does not answer; trying on", guarded.session().connectString());
      } catch (IOException | KeeperException | RuntimeException | Error failure) {
        // The host may lack threads or memory for a while.
        log.warn("The death of {} is not proved yet: {}", guarded, failure.toString());
      }
      Thread.sleep(pause);
      Duration doubled = pause.multipliedBy(2);
      pause = doubled.compareTo(PAUSE_MAX) > 0 ? PAUSE_MAX : doubled;
    }
    return false;
  }

  private interface Attempt {
    boolean succeeds() throws IOException, KeeperException, InterruptedException;
  }
}
