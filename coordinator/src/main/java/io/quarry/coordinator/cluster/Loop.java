package io.quarry.coordinator.cluster;

import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One named daemon thread that runs a step when woken and at least once per period. Wake-ups are
 * coalesced: callbacks wake, the loop acts at its own pace. It is a platform thread, so that work
 * which pins virtual threads elsewhere cannot delay membership; it is never interrupted, since its
 * listeners may be in the middle of a write.
 */
final class Loop implements AutoCloseable {
  /** A step may throw; the loop tries again after {@link #RETRY_PAUSE}. */
  interface Step {
    void run() throws ClusterUnavailableException;
  }

  static final Duration RETRY_PAUSE = Duration.ofMillis(250);
  private static final Duration CLOSE_DEADLINE = Duration.ofSeconds(10);
  private static final Logger LOG = LoggerFactory.getLogger(Loop.class);

  private final Step step;
  private final long periodNanos;
  private final Thread thread;
  private boolean closed;
  private long dueAt = System.nanoTime();

  Loop(String name, Duration period, Step step) {
    this.step = step;
    this.periodNanos = period.toNanos();
    this.thread = Thread.ofPlatform().daemon().name("quarry-" + name).unstarted(this::run);
  }

  Loop start() {
    thread.start();
    return this;
  }

  void wake() {
    wakeWithin(Duration.ZERO);
  }

  /** Runs the step no later than this from now. */
  synchronized void wakeWithin(Duration delay) {
    long wanted = System.nanoTime() + delay.toNanos();
    if (wanted - dueAt < 0) {
      dueAt = wanted;
      notifyAll();
    }
  }

  synchronized boolean closed() {
    return closed;
  }

  /** Lets a running step finish, and waits for it unless the step itself closes the loop. */
  @Override
  public void close() {
    synchronized (this) {
      closed = true;
      notifyAll();
    }
    if (Thread.currentThread() == thread || !thread.isAlive()) {
      return;
    }
    try {
      if (!thread.join(CLOSE_DEADLINE)) {
        LOG.warn("{} is still busy with a listener", thread.getName());
      }
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private void run() {
    while (awaitTurn()) {
      try {
        step.run();
      } catch (ClusterUnavailableException unavailable) {
        LOG.debug("{} tries again: {}", thread.getName(), unavailable.getMessage());
        wakeWithin(RETRY_PAUSE);
      } catch (RuntimeException failure) {
        LOG.error("{} failed and tries again", thread.getName(), failure);
        wakeWithin(RETRY_PAUSE);
      }
    }
  }

  private synchronized boolean awaitTurn() {
    while (!closed) {
      long waitNanos = dueAt - System.nanoTime();
      if (waitNanos <= 0) {
        dueAt = System.nanoTime() + periodNanos;
        return true;
      }
      try {
        TimeUnit.NANOSECONDS.timedWait(this, waitNanos);
      } catch (InterruptedException interrupted) {
        LOG.warn("{} was interrupted and goes on", thread.getName());
      }
    }
    return false;
  }
}
