package io.quarry.agent.data.os;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import io.quarry.agent.data.os.DeviceMapper.DeviceNumber;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Instant;

/**
 * The kernel's metadata of a file.
 *
 * @param mode the permissions alone
 * @param modified when its content was last written
 * @param allocatedBytes of the storage; blocks that files share as reflinks count for each file
 * @param links the number of its names
 * @param immutable whether no process, not even one of root, may change or remove the file
 */
public record FileStatus(
    Kind kind,
    long size,
    int mode,
    int uid,
    int gid,
    Instant modified,
    long allocatedBytes,
    int links,
    boolean immutable) {
  /** The kind of the file. */
  public enum Kind {
    FILE("a regular file"),
    DIRECTORY("a directory"),
    LINK("a symbolic link"),
    FIFO("a FIFO"),
    SOCKET("a socket"),
    CHARACTER_DEVICE("a character device"),
    BLOCK_DEVICE("a block device");

    private final String text;

    Kind(String text) {
      this.text = text;
    }

    /** For messages, with its article. */
    public String text() {
      return text;
    }
  }

  static final int OF_THE_LINK_ITSELF = 0x100;
  static final int OF_THE_DESCRIPTOR = 0x1000;
  private static final int WITHOUT_THE_SERVER = 0x4000;
  private static final int BASIC_STATS = 0x7ff;
  private static final int MOUNT_ID = 0x1000;
  private static final long STATX_BYTES = 256;
  private static final long IMMUTABLE = 0x10;
  private static final int PERMISSIONS = 07777;
  private static final int KIND_SHIFT = 12;

  /** The kernel counts allocated bytes in this unit, whatever the filesystem's blocks are. */
  private static final long BLOCK_BYTES = 512;

  /** A block device as its maker knows it. */
  public static FileStatus ofDevice(long size, int mode, int uid, int gid) {
    return new FileStatus(Kind.BLOCK_DEVICE, size, mode, uid, gid, Instant.EPOCH, size, 1, false);
  }

  /** The system call, on a name or an open file; a failure is thrown. */
  interface Asking {
    long statx(int flags, int mask, MemorySegment into) throws IOException;
  }

  static FileStatus of(Asking asking, int flags) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment found = arena.allocate(STATX_BYTES, Long.BYTES);
      var _ = asking.statx(flags, BASIC_STATS, found);
      int mode = Short.toUnsignedInt(found.get(JAVA_SHORT, 28));
      return new FileStatus(
          kind(mode >>> KIND_SHIFT),
          found.get(JAVA_LONG, 40),
          mode & PERMISSIONS,
          found.get(JAVA_INT, 20),
          found.get(JAVA_INT, 24),
          Instant.ofEpochSecond(
              found.get(JAVA_LONG, 112), Integer.toUnsignedLong(found.get(JAVA_INT, 120))),
          found.get(JAVA_LONG, 48) * BLOCK_BYTES,
          found.get(JAVA_INT, 16),
          (found.get(JAVA_LONG, 8) & IMMUTABLE) != 0);
    }
  }

  /** The number of the mount through which the file is open, from the kernel's memory alone. */
  static long mountId(Asking asking) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment found = arena.allocate(STATX_BYTES, Long.BYTES);
      var _ = asking.statx(OF_THE_DESCRIPTOR | WITHOUT_THE_SERVER, MOUNT_ID, found);
      return found.get(JAVA_LONG, 144);
    }
  }

  /** The device that a node stands for. */
  static DeviceNumber device(Asking asking, int flags) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment found = arena.allocate(STATX_BYTES, Long.BYTES);
      var _ = asking.statx(flags, BASIC_STATS, found);
      return new DeviceNumber(found.get(JAVA_INT, 128), found.get(JAVA_INT, 132));
    }
  }

  private static Kind kind(int type) {
    return switch (type) {
      case 1 -> Kind.FIFO;
      case 2 -> Kind.CHARACTER_DEVICE;
      case 4 -> Kind.DIRECTORY;
      case 6 -> Kind.BLOCK_DEVICE;
      case 10 -> Kind.LINK;
      case 12 -> Kind.SOCKET;
      default -> Kind.FILE;
    };
  }
}
