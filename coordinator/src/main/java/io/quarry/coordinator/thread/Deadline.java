package io.quarry.coordinator.thread;

import java.time.Duration;
import java.util.concurrent.TimeUnit;

/**
 * The moment by which a wait ends. The remaining time is read once and is never negative. A wait
 * that computes its length from two looks at the clock fails when the thread pauses between them.
 */
public final class Deadline {
  /** Far beyond any process's life, and near enough for differences of nanoseconds. */
  private static final long NANOS_MAX = TimeUnit.DAYS.toNanos(36_500);

  /** For a thread that waits until another one wakes it. */
  static final Deadline NEVER = new Deadline(System.nanoTime() + NANOS_MAX);

  private final long atNanos;

  private Deadline(long atNanos) {
    this.atNanos = atNanos;
  }

  public static Deadline after(Duration budget) {
    return after(TimeUnit.NANOSECONDS.convert(budget), TimeUnit.NANOSECONDS);
  }

  public static Deadline afterMillis(long millis) {
    return after(millis, TimeUnit.MILLISECONDS);
  }

  private static Deadline after(long amount, TimeUnit unit) {
    return new Deadline(System.nanoTime() + Math.clamp(unit.toNanos(amount), 0, NANOS_MAX));
  }

  /** Zero once it has passed. */
  public long remainingNanos() {
    return Math.max(0, atNanos - System.nanoTime());
  }

  /** Zero once it has passed. */
  public Duration remaining() {
    return Duration.ofNanos(remainingNanos());
  }

  public boolean passed() {
    return remainingNanos() == 0;
  }

  public boolean isBefore(Deadline other) {
    return atNanos - other.atNanos < 0;
  }

  /**
   * Waits until another thread notifies the monitor, which the caller holds, or the moment has
   * come.
   *
   * @return false at once when the moment has passed
   */
  public boolean awaitOn(Object monitor) throws InterruptedException {
    long left = remainingNanos();
    if (left > 0) {
      TimeUnit.NANOSECONDS.timedWait(monitor, left);
    }
    return left > 0;
  }
}
