package io.quarry.agent.service;

import java.time.Duration;
import java.util.TreeMap;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongSupplier;

/**
 * Ranges of one upload that are on their way at once. One that does not join what is written waits
 * as long as another one is here that begins before it, and may fill the gap.
 */
final class Arrivals {
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();

  /** How many ranges begin there. */
  private final TreeMap<Long, Integer> offsets = new TreeMap<>();

  void enter(long offset) {
    lock.lock();
    try {
      offsets.merge(offset, 1, Integer::sum);
    } finally {
      lock.unlock();
    }
  }

  void leave(long offset) {
    lock.lock();
    try {
      offsets.computeIfPresent(offset, (_, count) -> count == 1 ? null : count - 1);
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /** More is written. */
  void moved() {
    lock.lock();
    try {
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /**
   * Waits until no other range can fill the gap before this one, which may not be there any more.
   *
   * @param written up to where bytes are written without a gap
   * @return false when the patience was over before
   */
  boolean awaitFirst(long offset, LongSupplier written, Duration patience)
      throws InterruptedException {
    long nanos = patience.toNanos();
    lock.lockInterruptibly();
    try {
      while (offset > written.getAsLong() && offsets.firstKey() < offset) {
        if (nanos <= 0) {
          return false;
        }
        nanos = changed.awaitNanos(nanos);
      }
      return true;
    } finally {
      lock.unlock();
    }
  }
}
