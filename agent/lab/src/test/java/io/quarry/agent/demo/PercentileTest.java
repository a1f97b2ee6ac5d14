package io.quarry.agent.demo;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

final class PercentileTest {
  @Test
  void takesTheSmallestThatEnoughDoNotExceed() {
    List<Duration> hundred = LongStream.rangeClosed(1, 100).mapToObj(Duration::ofMillis).toList();
    assertThat(Percentile.of(hundred.reversed(), 50)).isEqualTo(Duration.ofMillis(50));
    assertThat(Percentile.of(hundred, 99)).isEqualTo(Duration.ofMillis(99));
    assertThat(Percentile.of(List.of(Duration.ofMillis(7)), 1)).isEqualTo(Duration.ofMillis(7));
  }
}
