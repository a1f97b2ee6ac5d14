package io.quarry.coordinator.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

/** Case 12.25: which clock is right. */
final class ClocksTest {
  private static final long HOUR = 3_600_000;

  @Test
  void ofThreeHostsTheOneInTheMiddleIsBelievedWhateverZooKeeperShows() {
    assertThat(ahead(2 * HOUR, 0, 10)).isEqualTo(Duration.ofMillis(2 * HOUR - 10));
    assertThat(ahead(HOUR, HOUR, HOUR)).isZero();
    assertThat(ahead(-HOUR, 0, 10)).isEqualTo(Duration.ofHours(-1));
  }

  @Test
  void ofTwoHostsTheOneThatAgreesWithZooKeeperIsBelieved() {
    assertThat(ahead(2 * HOUR, 0)).isEqualTo(Duration.ofHours(2));
    assertThat(ahead(0, 2 * HOUR)).isZero();
  }

  @Test
  void twoHostsThatAgreeAreBelievedWhateverZooKeeperShows() {
    assertThat(ahead(HOUR, HOUR)).isZero();
  }

  @Test
  void hostAloneIsBelieved() {
    assertThat(ahead(2 * HOUR)).isZero();
  }

  @Test
  void errorOfTheComparisonDoesNotCount() {
    ClockReading own = new ClockReading(5_000, 3_000);
    ClockReading other = new ClockReading(0, 1_000);
    assertThat(Clocks.ahead(own, List.of(own, other, other))).isEqualTo(Duration.ofSeconds(1));
    ClockReading close = new ClockReading(-3_500, 3_000);
    assertThat(Clocks.ahead(close, List.of(close, other, other))).isZero();
  }

  /** The clocks are not compared again, and need not be: elapsed time is known without a clock. */
  @Test
  void clockThatIsSetIsSeenAtOnce() {
    Instant[] now = {Instant.parse("2026-01-01T12:00:00Z")};
    OwnClock clock = new OwnClock(() -> now[0]);
    assertThat(clock.reading()).isEmpty();
    OwnClock.Before before = clock.before();
    clock.compare(before, before.nanos() + 2_000_000, now[0].toEpochMilli() - 500);
    ClockReading compared = clock.reading().orElseThrow();
    assertThat(compared.aheadMillis()).isLessThanOrEqualTo(501);
    assertThat(compared.errorMillis()).isEqualTo(2);

    now[0] = now[0].plus(Duration.ofHours(2));
    long ahead = clock.reading().orElseThrow().aheadMillis();
    long passedMillis = (System.nanoTime() - before.nanos()) / 1_000_000;
    assertThat(ahead).isBetween(2 * HOUR + 500 - passedMillis, 2 * HOUR + 501);
  }

  /** How far the first clock is ahead. */
  private static Duration ahead(long... aheadMillis) {
    List<ClockReading> all =
        LongStream.of(aheadMillis).mapToObj(millis -> new ClockReading(millis, 0)).toList();
    return Clocks.ahead(all.getFirst(), all);
  }
}
