package io.quarry.agent.data;

import java.io.Closeable;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.List;

/** The content of an image, read at any offset by several threads at once. */
public interface Source extends Closeable {
  /** The virtual size in bytes. */
  long size();

  /**
   * The extents of a range, known without reading it: in order, without gaps, neighbours merged. A
   * source that stands for a difference has gaps where there is no difference.
   */
  List<Extent> extents(long offset, long length) throws IOException;

  /** Fills native memory with the content from {@code offset} on. */
  void read(long offset, MemorySegment into) throws IOException;
}
