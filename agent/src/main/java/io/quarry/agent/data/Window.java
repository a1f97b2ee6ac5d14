package io.quarry.agent.data;

import io.quarry.agent.data.Extent.Kind;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** The stretch of an image between two checkpoints, cut into chunks. */
record Window(long offset, long end, List<Span> data) {
  /** A part of the window that must be read. */
  record Span(long offset, long end) {}

  boolean isEmpty() {
    return data.isEmpty();
  }

  List<Chunk> chunks() {
    return data.stream()
        .map(span -> new Chunk(this, span.offset(), span.end() - span.offset()))
        .toList();
  }

  /** Just these extents of data, cut into chunks. */
  static Window ofData(long offset, long end, List<Extent> extents) {
    List<Span> spans = new ArrayList<>();
    for (Extent extent : extents) {
      long at = extent.offset();
      while (at < extent.end()) {
        long stop = Math.min(extent.end(), (chunkNumber(at) + 1) * ChunkCopier.CHUNK_BYTES);
        spans.add(new Span(at, stop));
        at = stop;
      }
    }
    return new Window(offset, end, List.copyOf(spans));
  }

  /**
   * Asks the source what there is to read. Fragments within one aligned chunk become one span: one
   * larger read that meets zeros is quicker than several small ones.
   */
  static Window of(Source source, long offset, long end) throws IOException {
    List<Span> spans = new ArrayList<>();
    for (Extent extent : source.extents(offset, end - offset)) {
      if (extent.kind() == Kind.ZERO) {
        continue;
      }
      // Whole blocks: an odd beginning could only be written through the page cache.
      long at = Math.max(offset, extent.offset() - extent.offset() % Zeros.BLOCK_BYTES);
      while (at < extent.end()) {
        long stop = Math.min(extent.end(), (chunkNumber(at) + 1) * ChunkCopier.CHUNK_BYTES);
        if (!spans.isEmpty() && chunkNumber(spans.getLast().offset()) == chunkNumber(at)) {
          spans.set(spans.size() - 1, new Span(spans.getLast().offset(), stop));
        } else {
          spans.add(new Span(at, stop));
        }
        at = stop;
      }
    }
    return new Window(offset, end, List.copyOf(spans));
  }

  private static long chunkNumber(long offset) {
    return offset / ChunkCopier.CHUNK_BYTES;
  }
}
