package io.quarry.agent.service;

import java.time.Duration;
import java.util.TreeMap;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongSupplier;

/**
 * The ranges of one upload that are on their way at once. A range that does not join the written
 * bytes waits for earlier ranges, which may fill the gap.
 */
final class Arrivals {
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();

  /** The number of ranges that begin at each offset. */
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

  /** More bytes are written. */
  void moved() {
    lock.lock();
    try {
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /**
   * Waits until no other range can fill the gap before this range. The gap may be gone already.
   *
   * @param written the offset up to which bytes are written without a gap
   * @return false when the patience ended first
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
