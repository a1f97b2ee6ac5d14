package io.quarry.agent.data;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * The content of an image as a difference to zeros: for targets that read as zeros where nothing is
 * written.
 *
 * @param source this source closes it
 */
public record DataOnly(Source source) implements Source {
  @Override
  public long size() {
    return source.size();
  }

  @Override
  public List<Extent> extents(long offset, long length) throws IOException {
    return source.extents(offset, length).stream()
        .filter(extent -> extent.kind() == Extent.Kind.DATA)
        .toList();
  }

  @Override
  public void read(long offset, MemorySegment into) throws IOException {
    source.read(offset, into);
  }

  @Override
  public void close() throws IOException {
    source.close();
  }
}
