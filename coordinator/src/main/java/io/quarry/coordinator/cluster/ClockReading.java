package io.quarry.coordinator.cluster;

/**
 * A host's clock compared with ZooKeeper's, the one reference that all hosts have in common.
 *
 * @param aheadMillis of ZooKeeper's clock; negative when behind
 * @param errorMillis the error of that difference: half of the time that the comparison took
 */
public record ClockReading(long aheadMillis, long errorMillis) {
  private static final long NEWS_MILLIS = 500;

  static final ClockReading ZOOKEEPER = new ClockReading(0, 0);

  /** Whether the difference is too small to publish. */
  boolean agreesWith(ClockReading other) {
    return Math.abs(aheadMillis - other.aheadMillis) <= NEWS_MILLIS;
  }
}
