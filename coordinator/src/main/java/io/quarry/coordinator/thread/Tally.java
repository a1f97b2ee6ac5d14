package io.quarry.coordinator.thread;

import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/** Counts the failures under one name. */
public final class Tally {
  /** This many failures in a row, without a success between them, are no accident. */
  private static final long IN_A_ROW_MAX = 3;

  private final String name;
  private final AtomicLong failures = new AtomicLong();
  private final AtomicLong inARow = new AtomicLong();
  private volatile @Nullable Throwable last;

  Tally(String name) {
    this.name = name;
  }

  public String name() {
    return name;
  }

  public long failures() {
    return failures.get();
  }

  /** The last failure, or null. */
  public @Nullable Throwable last() {
    return last;
  }

  /** Whether the last tries have all failed. */
  public boolean keepsFailing() {
    return inARow.get() >= IN_A_ROW_MAX;
  }

  /** Returns the number of failures since the last success. */
  long failed(Throwable failure) {
    failures.incrementAndGet();
    last = failure;
    return inARow.incrementAndGet();
  }

  void succeeded() {
    if (inARow.get() != 0) {
      inARow.set(0);
    }
  }
}
