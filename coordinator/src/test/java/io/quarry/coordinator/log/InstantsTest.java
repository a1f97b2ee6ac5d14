package io.quarry.coordinator.log;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.core.JsonProcessingException;
import java.time.Instant;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class InstantsTest {
  private static final long SEED = 4711;
  private static final int TIMES = 10_000;

  /** Seconds of the years 0 to 9999. */
  private static final long FIRST = -62_167_219_200L;

  private static final long LAST = 253_402_300_799L;

  @Test
  void writtenTimesAreReadAsTheGeneralParserReadsThem() throws Exception {
    SplittableRandom random = new SplittableRandom(SEED);
    int common = 0;
    for (int i = 0; i < TIMES; i++) {
      int unit = (int) Math.pow(1000, random.nextInt(4));
      Instant time =
          Instant.ofEpochSecond(
              random.nextLong(FIRST, LAST), random.nextInt(1_000_000_000 / unit) * (long) unit);
      Instant parsed = Instants.parse(time.toString());
      common += parsed == null ? 0 : 1;
      assertThat(parsed == null ? time : parsed).isEqualTo(Instant.parse(time.toString()));
      assertThat(read(time.toString())).isEqualTo(time);
    }
    assertThat(common).isGreaterThan(TIMES / 2);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "2026-02-30T00:00:00Z",
        "2026-13-01T00:00:00Z",
        "2026-01-01T24:00:01Z",
        "2026-01-01T00:60:00Z",
        "2026-01-01T00:00:00.1x3Z",
        "2026-01-01T00:00:00.1234567890Z",
        "2026-01-01T00:00:00",
        "2026/01/01T00:00:00Z",
        "Z"
      })
  void whatIsNoTimeIsRefused(String text) {
    assertThat(Instants.parse(text)).isNull();
    assertThatThrownBy(() -> read(text)).isInstanceOf(JsonProcessingException.class);
  }

  private static Instant read(String text) throws JsonProcessingException {
    return Codec.MAPPER.readValue('"' + text + '"', Instant.class);
  }
}
