package io.quarry.coordinator.cluster;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * This host's clock compared with ZooKeeper's. A clock that is set between two comparisons shows at
 * once, by the time that has passed since the last one.
 */
final class OwnClock {
  private final InstantSource clock;
  private volatile @Nullable Compared last;

  private record Compared(ClockReading reading, Instant at, long nanos) {}

  OwnClock(InstantSource clock) {
    this.clock = clock;
  }

  /** Both clocks before a write to ZooKeeper. */
  record Before(Instant at, long nanos) {}

  Before before() {
    return new Before(clock.instant(), System.nanoTime());
  }

  /**
   * ZooKeeper has written something.
   *
   * @param stampedMillis when, by ZooKeeper's clock
   */
  void compare(Before before, long answeredNanos, long stampedMillis) {
    long halfNanos = (answeredNanos - before.nanos()) / 2;
    long middle = before.at().plusNanos(halfNanos).toEpochMilli();
    long error = TimeUnit.NANOSECONDS.toMillis(halfNanos) + 1;
    last =
        new Compared(new ClockReading(middle - stampedMillis, error), before.at(), before.nanos());
  }

  /** Empty before the first comparison. */
  Optional<ClockReading> reading() {
    Compared known = last;
    return known == null ? Optional.empty() : Optional.of(now(known));
  }

  private ClockReading now(Compared known) {
    Duration passed = Duration.ofNanos(System.nanoTime() - known.nanos());
    Duration shown = Duration.between(known.at(), clock.instant());
    return new ClockReading(
        known.reading().aheadMillis() + shown.minus(passed).toMillis(),
        known.reading().errorMillis());
  }
}
