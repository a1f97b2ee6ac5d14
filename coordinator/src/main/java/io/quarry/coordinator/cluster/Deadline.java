package io.quarry.coordinator.cluster;

import java.time.Duration;

/** The moment by which a call answers or throws. */
final class Deadline {
  private final long atNanos;

  Deadline(Duration budget) {
    atNanos = System.nanoTime() + budget.toNanos();
  }

  long remainingNanos() {
    return atNanos - System.nanoTime();
  }

  Duration remaining() {
    return Duration.ofNanos(Math.max(0, remainingNanos()));
  }
}
