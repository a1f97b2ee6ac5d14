package io.quarry.agent.data.os;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;

/** What files really take on a storage. */
public final class DiskUsage {
  private static final int AT_FDCWD = -100;
  private static final int STATX_BLOCKS = 0x400;
  private static final long STATX_BYTES = 256;
  private static final long BLOCKS_OFFSET = 48;

  /** Whatever the filesystem's blocks are, this is what they are counted in. */
  private static final long BLOCK_BYTES = 512;

  private DiskUsage() {}

  /**
   * Bytes allocated to the file, by its metadata alone; 0 when there is no such file. What it
   * shares with others as reflinks counts for each of them.
   */
  public static long allocated(Path file) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment result = arena.allocate(STATX_BYTES, Long.BYTES);
      int code = Libc.statx(AT_FDCWD, file.toString(), 0, STATX_BLOCKS, result);
      if (code == -Errno.ENOENT) {
        return 0;
      }
      if (code < 0) {
        throw new IOException(file + ": stat: " + Libc.describe(-code));
      }
      return result.get(JAVA_LONG, BLOCKS_OFFSET) * BLOCK_BYTES;
    }
  }
}
