package io.quarry.coordinator.cluster;

/**
 * A host's clock beside ZooKeeper's, which is the one witness that all hosts have in common.
 *
 * @param aheadMillis of ZooKeeper's clock; negative when it is behind
 * @param errorMillis by which that may be wrong: half of the time that the comparison took
 */
public record ClockReading(long aheadMillis, long errorMillis) {
  private static final long NEWS_MILLIS = 500;

  static final ClockReading ZOOKEEPER = new ClockReading(0, 0);

  /** Whether others need not hear of the difference. */
  boolean agreesWith(ClockReading other) {
    return Math.abs(aheadMillis - other.aheadMillis) <= NEWS_MILLIS;
  }
}
