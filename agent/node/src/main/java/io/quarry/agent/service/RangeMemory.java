package io.quarry.agent.service;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.Deque;
import org.jspecify.annotations.Nullable;

/**
 * Memory for ranges of uploads that are received before their turn: at most an eighth of the heap's
 * size, outside of the heap. A range that gets none is written as it comes, in its turn.
 */
final class RangeMemory {
  /** Also the longest range that is held in memory. */
  static final int BYTES = 8 << 20;

  private static final int PIECES_MAX = 8;
  private static final int ALIGNMENT = 4096;

  private final int max = Math.clamp(Runtime.getRuntime().maxMemory() / 8 / BYTES, 1, PIECES_MAX);
  private final Deque<MemorySegment> kept = new ArrayDeque<>();
  private int taken;

  /** Null when there is no more, or the range is too long. */
  synchronized @Nullable MemorySegment take(long length) {
    if (length > BYTES || taken == max) {
      return null;
    }
    taken++;
    MemorySegment again = kept.pollFirst();
    return again == null ? Arena.ofAuto().allocate(BYTES, ALIGNMENT) : again;
  }

  /**
   * @param unused whether nothing can write to it any more
   */
  synchronized void give(MemorySegment memory, boolean unused) {
    taken--;
    if (unused) {
      kept.addFirst(memory);
    }
  }

  /** Keeps none that nobody uses. */
  synchronized void trim() {
    kept.clear();
  }
}
