package io.quarry.agent.data;

import io.quarry.agent.data.Extent.Kind;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** A stretch of an image, and the chunks of the stretch that must be read. */
record Window(long offset, long end, List<Chunk> chunks) {
  boolean isEmpty() {
    return chunks.isEmpty();
  }

  /** Exactly these extents of data, cut into chunks. */
  static Window ofData(long offset, long end, List<Extent> extents) {
    List<Chunk> chunks = new ArrayList<>();
    for (Extent extent : extents) {
      long at = extent.offset();
      while (at < extent.end()) {
        long stop = Math.min(extent.end(), (chunkNumber(at) + 1) * ChunkCopier.CHUNK_BYTES);
        chunks.add(new Chunk(at, stop));
        at = stop;
      }
    }
    return new Window(offset, end, List.copyOf(chunks));
  }

  /**
   * Asks the source which parts have to be read. Fragments within one aligned chunk become one
   * chunk: one larger read that meets zeros is quicker than several small ones.
   */
  static Window of(Source source, long offset, long end) throws IOException {
    List<Chunk> chunks = new ArrayList<>();
    for (Extent extent : source.extents(offset, end - offset)) {
      if (extent.kind() == Kind.ZERO) {
        continue;
      }
      // Whole blocks only, since an unaligned beginning would be written through the page cache.
      long at = Math.max(offset, extent.offset() - extent.offset() % Zeros.BLOCK_BYTES);
      while (at < extent.end()) {
        long stop = Math.min(extent.end(), (chunkNumber(at) + 1) * ChunkCopier.CHUNK_BYTES);
        if (!chunks.isEmpty() && chunkNumber(chunks.getLast().offset()) == chunkNumber(at)) {
          chunks.set(chunks.size() - 1, new Chunk(chunks.getLast().offset(), stop));
        } else {
          chunks.add(new Chunk(at, stop));
        }
        at = stop;
      }
    }
    return new Window(offset, end, List.copyOf(chunks));
  }

  private static long chunkNumber(long offset) {
    return offset / ChunkCopier.CHUNK_BYTES;
  }
}
