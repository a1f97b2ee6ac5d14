package io.quarry.coordinator.cluster;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;

/**
 * Decides which clock is right: the median of the live hosts' clocks. An even number has no median,
 * and of two hosts each could be wrong. Then ZooKeeper's own clock counts as one more. Otherwise
 * that clock does not count: a ZooKeeper with a wrong clock must not stop hosts that agree.
 */
final class Clocks {
  private Clocks() {}

  /**
   * How far a clock is certainly ahead of the median; negative when behind.
   *
   * @param all of the live hosts, this one included
   */
  static Duration ahead(ClockReading own, Collection<ClockReading> all) {
    List<ClockReading> sorted = new ArrayList<>(all);
    if (sorted.size() % 2 == 0) {
      sorted.add(ClockReading.ZOOKEEPER);
    }
    sorted.sort(Comparator.comparingLong(ClockReading::aheadMillis));
    ClockReading middle = sorted.get(sorted.size() / 2);
    long ahead = own.aheadMillis() - middle.aheadMillis();
    long certain = Math.max(0, Math.abs(ahead) - own.errorMillis() - middle.errorMillis());
    return Duration.ofMillis(ahead < 0 ? -certain : certain);
  }
}
