package io.quarry.agent.data;

import io.quarry.agent.data.os.NativeFile;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.List;

/** A raw image file. The file must not change while it is read. */
public final class RawFileSource implements Source {
  private final SourceFile content;
  private final NativeFile file;
  private final long size;

  private RawFileSource(SourceFile content, long size) {
    this.content = content;
    this.file = content.file();
    this.size = size;
  }

  public static RawFileSource open(Path path) throws IOException {
    return of(NativeFile.openRead(path));
  }

  /**
   * @param file the source closes this file
   */
  public static RawFileSource of(NativeFile file) throws IOException {
    return of(file, Long.MAX_VALUE);
  }

  /**
   * @param file the source closes this file
   * @param sizeMax of the disk; bytes behind this size were added outside of Quarry, and are no
   *     content
   */
  public static RawFileSource of(NativeFile file, long sizeMax) throws IOException {
    SourceFile content = SourceFile.of(file);
    try {
      return new RawFileSource(content, Math.min(sizeMax, content.file().size()));
    } catch (IOException e) {
      content.close();
      throw e;
    }
  }

  @Override
  public long size() {
    return size;
  }

  @Override
  public List<Extent> extents(long offset, long length) throws IOException {
    Extents extents = new Extents();
    long end = Math.addExact(offset, length);
    long at = offset;
    while (at < end) {
      long data = Math.min(end, file.nextData(at).orElse(end));
      if (data > at) {
        extents.add(Extent.zero(at, data - at));
      }
      if (data == end) {
        break;
      }
      long hole = Math.min(end, file.nextHole(data));
      extents.add(Extent.data(data, hole - data, file, data));
      at = hole;
    }
    return extents.list();
  }

  @Override
  public void read(long offset, MemorySegment into) throws IOException {
    content.read(offset, into);
  }

  /** The open file, whose bytes are the image's at the same offsets. */
  NativeFile file() {
    return file;
  }

  @Override
  public void close() {
    content.close();
  }
}
