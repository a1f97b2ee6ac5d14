package io.quarry.agent.service;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.Deque;
import org.jspecify.annotations.Nullable;

/**
 * Memory for upload ranges that arrive before their turn: at most an eighth of the heap's size,
 * outside of the heap. A range without such memory is written in its turn, as its bytes arrive.
 */
final class RangeMemory {
  /** The size of a buffer, and so the longest range that is held in memory. */
  static final int BYTES = 8 << 20;

  private static final int PIECES_MAX = 8;
  private static final int ALIGNMENT = 4096;

  private final int max = Math.clamp(Runtime.getRuntime().maxMemory() / 8 / BYTES, 1, PIECES_MAX);
  private final Deque<MemorySegment> kept = new ArrayDeque<>();
  private int taken;

  /** Null when no memory is left, or the range is too long. */
  synchronized @Nullable MemorySegment take(long length) {
    if (length > BYTES || taken == max) {
      return null;
    }
    taken++;
    MemorySegment again = kept.pollFirst();
    return again == null ? Arena.ofAuto().allocate(BYTES, ALIGNMENT) : again;
  }

  /**
   * @param unused whether no call can write to the memory any more
   */
  synchronized void give(MemorySegment memory, boolean unused) {
    taken--;
    if (unused) {
      kept.addFirst(memory);
    }
  }

  /** Frees all memory that is not in use. */
  synchronized void trim() {
    kept.clear();
  }
}
