package io.quarry.agent.service;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;

final class RangeMemoryTest {
  private final RangeMemory memory = new RangeMemory();

  @Test
  void memoryIsLimitedAndComesBack() {
    List<MemorySegment> taken = new ArrayList<>();
    for (MemorySegment one = memory.take(1); one != null; one = memory.take(1)) {
      taken.add(one);
    }
    assertThat(taken).hasSizeBetween(1, 8);
    assertThat((long) taken.size() * RangeMemory.BYTES)
        .isLessThanOrEqualTo(Math.max(RangeMemory.BYTES, Runtime.getRuntime().maxMemory() / 8));
    memory.give(taken.getFirst(), true);
    assertThat(memory.take(RangeMemory.BYTES)).isSameAs(taken.getFirst());
    assertThat(memory.take(1)).isNull();
  }

  @Test
  void longRangeGetsNone() {
    assertThat(memory.take(RangeMemory.BYTES + 1)).isNull();
  }

  /** A write that hangs may still read the memory. */
  @Test
  void memoryThatMayBeUsedIsNotGivenAgain() {
    MemorySegment hung = Objects.requireNonNull(memory.take(1));
    memory.give(hung, false);
    assertThat(memory.take(1)).isNotNull().isNotSameAs(hung);
  }
}
