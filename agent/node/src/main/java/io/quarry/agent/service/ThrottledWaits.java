package io.quarry.agent.service;

import io.quarry.agent.data.Throttle;
import java.time.Duration;

/**
 * The waits of an upload's ranges for each other. A range that this host's own throttle slows down
 * is not stuck. So the time in the throttle does not count.
 */
final class ThrottledWaits {
  /** A condition that may come true within a time. */
  @FunctionalInterface
  interface Awaited {
    boolean await(Duration patience) throws InterruptedException;
  }

  private final Throttle throttle;
  private final Duration patience;

  /** How many ranges wait for the throttle. */
  private int waiting;

  /** How many waits for the throttle have ended. */
  private long ended;

  /**
   * @param patience for waits without any delay by the throttle
   */
  ThrottledWaits(Throttle throttle, Duration patience) {
    this.throttle = throttle;
    this.patience = patience;
  }

  void acquire(long bytes) throws InterruptedException {
    begin();
    try {
      var _ = throttle.acquire(bytes, () -> false);
    } finally {
      end();
    }
  }

  private synchronized void begin() {
    waiting++;
  }

  private synchronized void end() {
    waiting--;
    if (throttle.bytesPerSecond() != Throttle.UNLIMITED) {
      ended++;
    }
  }

  private synchronized long ended() {
    return ended;
  }

  synchronized boolean slowed(long endedBefore) {
    return waiting > 0 || ended > endedBefore;
  }

  /** False when the patience has ended, and the throttle delayed no range meanwhile. */
  boolean await(Awaited awaited) throws InterruptedException {
    while (true) {
      long before = ended();
      if (awaited.await(patience)) {
        return true;
      }
      if (!slowed(before)) {
        return false;
      }
    }
  }
}
