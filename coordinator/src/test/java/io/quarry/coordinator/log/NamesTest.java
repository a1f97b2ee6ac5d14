package io.quarry.coordinator.log;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class NamesTest {
  private static final long LARGE = 9_999_999_999_999_999L;

  @Test
  void numbersAreReadAsTheyWereWritten() {
    for (long number : new long[] {0, 1, 10, LARGE}) {
      assertThat(Names.recordNumber(Names.record(number))).isEqualTo(number);
      assertThat(Names.checkpointNumber(Names.checkpoint(number))).isEqualTo(number);
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "head",
        ".record",
        "000000000000001.record",
        "00000000000000001.record",
        "000000000000000x.record",
        "-000000000000001.record",
        "٠٠٠٠٠٠٠٠٠٠٠٠٠٠٠٠.record",
        "0000000000000001.record.tmp",
        "0000000000000001.checkpoint"
      })
  void otherNamesAreNoRecords(String name) {
    assertThat(Names.recordNumber(name)).isEqualTo(Names.NONE);
  }
}
