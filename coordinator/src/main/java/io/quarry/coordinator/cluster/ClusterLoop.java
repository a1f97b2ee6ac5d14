package io.quarry.coordinator.cluster;

import io.quarry.coordinator.thread.Loop;
import java.time.Duration;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A loop whose step needs ZooKeeper: while ZooKeeper does not answer, the step tries again soon.
 */
final class ClusterLoop implements AutoCloseable {
  /** The work on the cluster. */
  interface Step {
    void run() throws ClusterUnavailableException;
  }

  private static final Duration RETRY_PAUSE = Duration.ofMillis(250);
  private static final Logger LOG = LoggerFactory.getLogger(ClusterLoop.class);

  private final Step step;
  private final Loop loop;

  /**
   * @param name of the loop's thread, after {@code quarry-}
   */
  ClusterLoop(String name, Duration period, Step step) {
    this.step = step;
    this.loop = new Loop("quarry-" + name, period, this::attempt);
  }

  void start(ClusterConnection connection) {
    loop.start(connection.supervisor());
  }

  void wake() {
    loop.wake();
  }

  /** Runs the step no later than this from now. */
  void wakeWithin(Duration delay) {
    loop.wakeWithin(delay);
  }

  /** Lets a running step finish, and waits for it unless the step itself closes the loop. */
  @Override
  public void close() {
    loop.closeAndWait();
  }

  private void attempt() {
    try {
      step.run();
    } catch (ClusterUnavailableException unavailable) {
      LOG.debug("{} tries again: {}", Thread.currentThread().getName(), unavailable.getMessage());
      loop.wakeWithin(RETRY_PAUSE);
    }
  }
}
