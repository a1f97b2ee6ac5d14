package io.quarry.agent.service;

import io.quarry.agent.data.Throttle;
import java.time.Duration;

/**
 * Waits of the ranges of an upload for each other. A range that this host's own throttle slows down
 * is not stuck, so the time that the throttle takes does not count.
 */
final class ThrottledWaits {
  /** Something that may come within a time. */
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
   * @param patience with what no throttle slows down
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

  /** False when the patience was over, and the throttle slowed nothing down meanwhile. */
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
