package io.quarry.agent.guardian;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

final class RestartPausesTest {
  private static final Duration EARLY = Duration.ofSeconds(2);

  private final RestartPauses pauses = new RestartPauses(RestartPauses.PAUSE_MAX);

  @Test
  void pausesDoubleUpToTheLongest() {
    assertThat(LongStream.range(0, 7).map(death -> pauses.after(EARLY).toSeconds()))
        .containsExactly(1L, 2L, 4L, 8L, 16L, 30L, 30L);
  }

  @Test
  void healthyLifeStartsOver() {
    pauses.after(EARLY);
    pauses.after(EARLY);
    assertThat(pauses.after(RestartPauses.HEALTHY_AFTER)).isEqualTo(RestartPauses.PAUSE_MIN);
    assertThat(pauses.after(EARLY)).isEqualTo(RestartPauses.PAUSE_MIN.multipliedBy(2));
  }

  @Test
  void longestCapsTheShortestToo() {
    Duration longest = Duration.ofMillis(200);
    RestartPauses capped = new RestartPauses(longest);
    assertThat(capped.after(EARLY)).isEqualTo(longest);
    assertThat(capped.after(EARLY)).isEqualTo(longest);
  }
}
