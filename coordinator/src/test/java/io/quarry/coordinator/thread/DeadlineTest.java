package io.quarry.coordinator.thread;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
final class DeadlineTest {
  private final Object monitor = new Object();

  /** Case 12.6: a pause between two looks at the clock made a wait negative. */
  @Test
  void remainingTimeIsNeverNegative() throws InterruptedException {
    Deadline past = Deadline.after(Duration.ofSeconds(-1));
    assertThat(past.passed()).isTrue();
    assertThat(past.remainingNanos()).isZero();
    assertThat(past.remaining()).isZero();
    synchronized (monitor) {
      assertThat(past.awaitOn(monitor)).isFalse();
    }
  }

  /** Object.wait(0) waits for ever. */
  @Test
  void waitOfLessThanAMillisecondEnds() throws InterruptedException {
    Deadline soon = Deadline.after(Duration.ofNanos(200_000));
    synchronized (monitor) {
      while (soon.awaitOn(monitor)) {
        assertThat(soon.remaining()).isLessThan(Duration.ofMillis(1));
      }
    }
    assertThat(soon.passed()).isTrue();
  }

  @Test
  void longestDurationIsFarAway() {
    Deadline far = Deadline.after(Duration.ofSeconds(Long.MAX_VALUE));
    assertThat(far.passed()).isFalse();
    assertThat(Deadline.after(Duration.ofDays(1)).isBefore(far)).isTrue();
    assertThat(Deadline.afterMillis(Long.MAX_VALUE).passed()).isFalse();
  }
}
