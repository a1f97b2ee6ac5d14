package io.quarry.agent.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class UnitsTest {
  @ParameterizedTest
  @CsvSource({
    "0, 0 B",
    "1023, 1023 B",
    "1024, 1 KiB",
    "1536, 1.5 KiB",
    "104857600, 100 MiB",
    "104857601, 100 MiB",
    "10737418240, 10 GiB",
    "1181116006, 1.1 GiB",
    "9223372036854775807, 8 EiB"
  })
  void bytesAreShort(long bytes, String text) {
    assertThat(Units.bytes(bytes)).isEqualTo(text);
  }

  @Test
  void unknownValueIsEmptyText() {
    assertThat(Units.bytes(-1)).isEmpty();
    assertThat(Units.rate(-1)).isEmpty();
    assertThat(Units.percent(-1)).isEmpty();
    assertThat(Units.time(null)).isEmpty();
  }

  @Test
  void clocksHaveHoursOnlyWhenNeeded() {
    assertThat(Units.clock(Duration.ofSeconds(7))).isEqualTo("0:07");
    assertThat(Units.clock(Duration.ofSeconds(750))).isEqualTo("12:30");
    assertThat(Units.clock(Duration.ofSeconds(3605))).isEqualTo("1:00:05");
  }
}
