package io.quarry.it.bench;

import java.util.Arrays;

/** Durations in nanoseconds. */
@SuppressWarnings("ArrayRecordComponent") // never changed, never compared
public record Samples(long[] sorted) {
  public static Samples of(long[] nanos) {
    long[] sorted = nanos.clone();
    Arrays.sort(sorted);
    return new Samples(sorted);
  }

  public double millis(double quantile) {
    int index = (int) Math.min(sorted.length - 1L, Math.round(quantile * (sorted.length - 1)));
    return sorted[index] / 1e6;
  }
}
