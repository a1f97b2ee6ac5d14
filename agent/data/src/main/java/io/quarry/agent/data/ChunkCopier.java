package io.quarry.agent.data;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.LongAdder;

/**
 * Moves one chunk through memory and leaves its zeros out. Several lanes use one copier at once.
 */
final class ChunkCopier {
  /** Also how far a lane goes between two looks at the stop flag. */
  static final int CHUNK_BYTES = 1 << 20;

  private final Source source;
  private final RawTarget target;
  private final LongAdder read = new LongAdder();
  private final LongAdder written = new LongAdder();

  ChunkCopier(Source source, RawTarget target) {
    this.source = source;
    this.target = target;
  }

  long read() {
    return read.sum();
  }

  long written() {
    return written.sum();
  }

  void copy(Chunk chunk, MemorySegment buffer) throws IOException {
    MemorySegment content = buffer.asSlice(0, chunk.length());
    source.read(chunk.offset(), content);
    read.add(chunk.length());
    long before = written.sum();
    writeData(chunk.offset(), content);
    if (written.sum() != before) {
      target.startWriteback(chunk.offset(), chunk.length());
    }
  }

  /** Blocks are aligned in the image, so that a zero block is a hole in the file too. */
  private void writeData(long offset, MemorySegment content) throws IOException {
    long length = content.byteSize();
    long runStart = -1;
    long at = 0;
    while (at < length) {
      long next = Math.min(length, at + Zeros.BLOCK_BYTES - (offset + at) % Zeros.BLOCK_BYTES);
      boolean zero = Zeros.isZero(content, at, next - at);
      if (zero && runStart >= 0) {
        write(offset, content, runStart, at);
        runStart = -1;
      } else if (!zero && runStart < 0) {
        runStart = at;
      }
      at = next;
    }
    if (runStart >= 0) {
      write(offset, content, runStart, length);
    }
  }

  private void write(long offset, MemorySegment content, long from, long to) throws IOException {
    target.write(offset + from, content.asSlice(from, to - from));
    written.add(to - from);
  }
}
