package io.quarry.agent.data.os;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * The kernel's figures of the filesystem of a file.
 *
 * @param capacity in bytes
 * @param free in bytes, for processes that are not root
 * @param files how many files the filesystem may have; 0 without a limit
 * @param freeFiles how many more files the filesystem has room for; 0 also without a limit
 * @param nfs whether the filesystem is an NFS mount
 */
public record Filesystem(long capacity, long free, long files, long freeFiles, boolean nfs) {
  private static final long STATFS_BYTES = 120;
  private static final long NFS_MAGIC = 0x6969;

  /** Whether there is room for so many more files. */
  public boolean hasRoomForFiles(long more) {
    return files == 0 || freeFiles >= more;
  }

  /** The system call on an open file; a failure is thrown. */
  interface Asking {
    long fstatfs(MemorySegment into) throws IOException;
  }

  static Filesystem of(Asking asking) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment found = arena.allocate(STATFS_BYTES, Long.BYTES);
      var _ = asking.fstatfs(found);
      long fragment = found.get(JAVA_LONG, 72);
      long block = fragment == 0 ? found.get(JAVA_LONG, 8) : fragment;
      return new Filesystem(
          found.get(JAVA_LONG, 16) * block,
          found.get(JAVA_LONG, 32) * block,
          found.get(JAVA_LONG, 40),
          found.get(JAVA_LONG, 48),
          found.get(JAVA_LONG, 0) == NFS_MAGIC);
    }
  }
}
