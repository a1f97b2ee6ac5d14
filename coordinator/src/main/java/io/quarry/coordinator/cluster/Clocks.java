package io.quarry.coordinator.cluster;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;

/**
 * Which clock is believed: the one in the middle of those of the live hosts. Of an even number none
 * is in the middle, and of two hosts each could be wrong; so ZooKeeper's own clock is among them
 * then. It is not otherwise: a ZooKeeper whose clock is wrong must not stop hosts that agree.
 */
final class Clocks {
  private Clocks() {}

  /**
   * How far a clock is ahead of the one in the middle, for certain; negative when it is behind.
   *
   * @param all of the live hosts, the one in question included
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
