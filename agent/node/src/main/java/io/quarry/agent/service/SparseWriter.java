package io.quarry.agent.service;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** Writes arriving bytes and leaves their zeros out, so that holes stay. */
final class SparseWriter {
  /** Blocks of this size are left out when they are zeros. */
  private static final int BLOCK_BYTES = 64 << 10;

  private static final int ALIGNMENT = 4096;
  private static final MemorySegment ZEROS = Arena.global().allocate(BLOCK_BYTES, ALIGNMENT);

  private SparseWriter() {}

  static void write(UploadFile file, long offset, MemorySegment bytes) throws IOException {
    long from = 0;
    while (from < bytes.byteSize()) {
      long to = blockEnd(bytes, from);
      if (isZero(bytes, from, to)) {
        from = to;
        continue;
      }
      while (to < bytes.byteSize() && !isZero(bytes, to, blockEnd(bytes, to))) {
        to = blockEnd(bytes, to);
      }
      file.write(offset + from, bytes.asSlice(from, to - from));
      from = to;
    }
  }

  private static long blockEnd(MemorySegment bytes, long from) {
    return Math.min(bytes.byteSize(), from + BLOCK_BYTES);
  }

  private static boolean isZero(MemorySegment bytes, long from, long to) {
    return MemorySegment.mismatch(bytes, from, to, ZEROS, 0, to - from) == -1;
  }
}
