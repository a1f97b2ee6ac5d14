package io.quarry.agent.data;

import io.quarry.agent.data.os.NativeFile;
import io.quarry.agent.data.os.Outcome;
import java.io.Closeable;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * A file that is read once. Cached parts are read from the page cache, all others around it.
 * Measured with a cold image, that halves the time of a copy, and other processes keep their pages
 * in the cache.
 */
final class SourceFile implements Closeable {
  private final NativeFile file;
  private final Optional<NativeFile> direct;
  private volatile boolean directRefused;

  private SourceFile(NativeFile file, Optional<NativeFile> direct) {
    this.file = file;
    this.direct = direct;
  }

  /**
   * @param file this source closes the file
   */
  static SourceFile of(NativeFile file) throws IOException {
    try {
      file.adviseSequential();
      return new SourceFile(file, file.direct());
    } catch (IOException | RuntimeException e) {
      file.close();
      throw e;
    }
  }

  /** The open file, for sharing its blocks and for finding its holes. */
  NativeFile file() {
    return file;
  }

  void read(long offset, MemorySegment into) throws IOException {
    long around = lengthAround(offset, into);
    if (around > 0) {
      NativeFile reader = direct.orElseThrow();
      if (reader.readDirect(offset, into.asSlice(0, around)) == Outcome.NOT_SUPPORTED) {
        directRefused = true;
        around = 0;
      }
    }
    file.read(offset + around, into.asSlice(around));
  }

  /** How many bytes of a read go around the cache; an unaligned rest at the end never does. */
  private long lengthAround(long offset, MemorySegment into) throws IOException {
    if (direct.isEmpty() || directRefused || !isAligned(offset) || !isAligned(into.address())) {
      return 0;
    }
    long length = into.byteSize() - into.byteSize() % NativeFile.DIRECT_ALIGNMENT;
    OptionalLong cached = file.cachedBytes(offset, into.byteSize());
    return cached.isPresent() && cached.getAsLong() < length / 2 ? length : 0;
  }

  private static boolean isAligned(long number) {
    return number % NativeFile.DIRECT_ALIGNMENT == 0;
  }

  @Override
  public void close() {
    direct.ifPresent(NativeFile::close);
    file.close();
  }
}
