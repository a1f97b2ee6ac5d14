package io.quarry.agent.demo;

import java.time.Duration;
import java.util.List;

/** Summarizes measurements. */
final class Percentile {
  private Percentile() {}

  /**
   * The smallest value that at least so many percent of the values do not exceed.
   *
   * @param percent 1 to 100
   */
  static Duration of(List<Duration> measured, int percent) {
    if (measured.isEmpty() || percent < 1 || percent > 100) {
      throw new IllegalArgumentException(percent + " % of " + measured.size());
    }
    int rank = (measured.size() * percent + 99) / 100;
    return measured.stream().sorted().toList().get(rank - 1);
  }
}
