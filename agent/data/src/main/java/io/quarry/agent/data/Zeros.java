package io.quarry.agent.data;

import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Tells zeros from data. The JVM compares a segment with a block of zeros by vector instructions.
 */
final class Zeros {
  /** The size of the blocks that filesystems keep as holes, and that copies examine for zeros. */
  static final int BLOCK_BYTES = 4096;

  private static final MemorySegment BLOCK = Arena.global().allocate(BLOCK_BYTES, Long.BYTES);

  private Zeros() {}

  /** Whether {@code length} bytes, at most a block, are all zero. */
  static boolean isZero(MemorySegment segment, long offset, long length) {
    // Most data has a non-zero first word.
    if (length >= Long.BYTES && segment.get(JAVA_LONG_UNALIGNED, offset) != 0) {
      return false;
    }
    return MemorySegment.mismatch(segment, offset, offset + length, BLOCK, 0, length) == -1;
  }
}
