package io.quarry.agent.fix;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** Rounded to the nearest, the text could be "needs 5 MiB, 5 MiB free". */
final class InsufficientSpaceTest {
  private static final long MIB = 1L << 20;

  @Test
  void neededSpaceNeverLooksLikeTheFreeSpace() {
    assertThat(new InsufficientSpace(5 * MIB, 5 * MIB - 1).text())
        .isEqualTo("waiting for space: needs 5 MiB, 4 MiB free");
    assertThat(new InsufficientSpace(5 * MIB + 1, 5 * MIB).text())
        .isEqualTo("waiting for space: needs 6 MiB, 5 MiB free");
  }

  @Test
  void theReserveIsAPartOfTheStorageWithinLimits() {
    assertThat(SpaceBudget.reserve(64 * MIB)).isEqualTo(8 * MIB);
    assertThat(SpaceBudget.reserve(1024 * MIB)).isEqualTo(16 * MIB);
    assertThat(SpaceBudget.reserve(1L << 44)).isEqualTo(1L << 30);
  }
}
