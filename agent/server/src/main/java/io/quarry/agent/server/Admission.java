package io.quarry.agent.server;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/** Counts calls in flight, refuses calls above the limit, and lets a stop wait for the rest. */
final class Admission {
  private final int max;
  private final AtomicInteger inFlight = new AtomicInteger();
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition empty = lock.newCondition();
  private volatile boolean stopping;

  Admission(int max) {
    this.max = max;
  }

  boolean enter() {
    if (inFlight.incrementAndGet() > max || stopping) {
      leave();
      return false;
    }
    return true;
  }

  void leave() {
    if (inFlight.decrementAndGet() == 0 && stopping) {
      lock.lock();
      try {
        empty.signalAll();
      } finally {
        lock.unlock();
      }
    }
  }

  int inFlight() {
    return inFlight.get();
  }

  boolean stopping() {
    return stopping;
  }

  void stop() {
    stopping = true;
  }

  /**
   * After {@link #stop}: waits until no call is in flight; false when a call is left at the
   * deadline.
   */
  boolean awaitEmpty(Duration deadline) throws InterruptedException {
    long nanos = deadline.toNanos();
    lock.lock();
    try {
      while (inFlight.get() > 0) {
        if (nanos <= 0) {
          return false;
        }
        nanos = empty.awaitNanos(nanos);
      }
      return true;
    } finally {
      lock.unlock();
    }
  }
}
