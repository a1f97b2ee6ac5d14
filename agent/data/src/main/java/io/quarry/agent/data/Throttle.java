package io.quarry.agent.data;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;

/**
 * A limit in bytes per second that all copies of a host share, first come, first served. A caller
 * proceeds when the bucket is not in debt. The caller then takes all that it wants, so a request
 * may be larger than the bucket.
 */
public final class Throttle {
  public static final long UNLIMITED = 0;

  /** How much an idle bucket saves up, as a part of one second's refill. */
  private static final double BURST_SECONDS = 0.1;

  /** How long a caller that was cancelled may go on waiting. */
  private static final long CANCEL_CHECK_NANOS = TimeUnit.MILLISECONDS.toNanos(50);

  private static final double NANOS_PER_SECOND = 1e9;

  private final ReentrantLock queue = new ReentrantLock(true);
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition rateChanged = lock.newCondition();
  private volatile long bytesPerSecond;
  private double tokens;
  private long refilledAtNanos = System.nanoTime();

  public Throttle(long bytesPerSecond) {
    this.bytesPerSecond = checked(bytesPerSecond);
  }

  public static Throttle unlimited() {
    return new Throttle(UNLIMITED);
  }

  public long bytesPerSecond() {
    return bytesPerSecond;
  }

  /**
   * Changes the limit for all callers, also for callers that are waiting now; 0 lifts the limit.
   */
  public void setBytesPerSecond(long newBytesPerSecond) {
    checked(newBytesPerSecond);
    lock.lock();
    try {
      refill();
      bytesPerSecond = newBytesPerSecond;
      tokens = Math.min(tokens, newBytesPerSecond * BURST_SECONDS);
      rateChanged.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /**
   * Waits for permission to move so many bytes.
   *
   * @return false if {@code cancelled} turned true during the wait
   */
  public boolean acquire(long bytes, BooleanSupplier cancelled) throws InterruptedException {
    if (bytesPerSecond == UNLIMITED) {
      return !cancelled.getAsBoolean();
    }
    while (!queue.tryLock(CANCEL_CHECK_NANOS, TimeUnit.NANOSECONDS)) {
      if (cancelled.getAsBoolean()) {
        return false;
      }
    }
    try {
      return takeFirst(bytes, cancelled);
    } finally {
      queue.unlock();
    }
  }

  private boolean takeFirst(long bytes, BooleanSupplier cancelled) throws InterruptedException {
    lock.lockInterruptibly();
    try {
      refill();
      while (tokens < 0 && bytesPerSecond != UNLIMITED) {
        if (cancelled.getAsBoolean()) {
          return false;
        }
        long untilPaid = (long) Math.ceil(-tokens / bytesPerSecond * NANOS_PER_SECOND);
        var _ = rateChanged.awaitNanos(Math.min(untilPaid, CANCEL_CHECK_NANOS));
        refill();
      }
      tokens -= bytes;
      return !cancelled.getAsBoolean();
    } finally {
      lock.unlock();
    }
  }

  private void refill() {
    long now = System.nanoTime();
    long rate = bytesPerSecond;
    if (rate == UNLIMITED) {
      tokens = 0;
    } else {
      double earned = (now - refilledAtNanos) / NANOS_PER_SECOND * rate;
      tokens = Math.min(tokens + earned, rate * BURST_SECONDS);
    }
    refilledAtNanos = now;
  }

  private static long checked(long bytesPerSecond) {
    if (bytesPerSecond < 0) {
      throw new IllegalArgumentException("negative limit " + bytesPerSecond + " bytes/s");
    }
    return bytesPerSecond;
  }
}
