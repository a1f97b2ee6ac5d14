package io.quarry.agent.data;

import io.quarry.agent.data.os.NativeFile;
import io.quarry.agent.data.os.Outcome;
import java.io.Closeable;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * A file that is read once. What is in the page cache is taken from there; what is not is read
 * around it: a copy of a cold image then takes half the time, and does not drive out of the cache
 * what somebody needs again.
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
   * @param file is closed with it
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

  /** The open file, to share blocks of and to ask for its holes. */
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

  /** How much of a read goes around the cache; the odd rest at its end never does. */
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
