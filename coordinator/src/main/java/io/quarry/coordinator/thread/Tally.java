package io.quarry.coordinator.thread;

import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/** How often what runs under one name has failed. */
public final class Tally {
  /** So many failures with no success between them are no accident. */
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

  /** Whether it has failed again and again, and did not succeed since. */
  public boolean keepsFailing() {
    return inARow.get() >= IN_A_ROW_MAX;
  }

  /** How often it has failed since it succeeded. */
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
