package io.quarry.it.failover;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** Measured durations of one kind. */
public final class Distribution {
  private static final double NANOS_PER_MILLI = 1e6;

  private final List<Long> nanos = new ArrayList<>();

  public void add(Duration duration) {
    nanos.add(duration.toNanos());
  }

  int count() {
    return nanos.size();
  }

  Duration median() {
    return percentile(50);
  }

  public Duration percentile(int percent) {
    List<Long> sorted = new ArrayList<>(nanos);
    Collections.sort(sorted);
    int index = (sorted.size() - 1) * percent / 100;
    return Duration.ofNanos(sorted.get(index));
  }

  @Override
  public String toString() {
    return "%d times, p50 %.0f ms, p99 %.0f ms, max %.0f ms"
        .formatted(count(), millis(50), millis(99), millis(100));
  }

  private double millis(int percent) {
    return percentile(percent).toNanos() / NANOS_PER_MILLI;
  }
}
