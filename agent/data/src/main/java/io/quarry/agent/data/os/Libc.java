package io.quarry.agent.data.os;

import static io.quarry.agent.data.os.Downcall.code;
import static io.quarry.agent.data.os.Downcall.function;
import static io.quarry.agent.data.os.Downcall.ofCommand;
import static io.quarry.agent.data.os.Downcall.ofNumbers;
import static io.quarry.agent.data.os.Downcall.ofPointer;
import static io.quarry.agent.data.os.Downcall.ofTwoPointers;
import static io.quarry.agent.data.os.Downcall.result;
import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.util.OptionalInt;

/**
 * The C library's files, one method for each call. A result of {@code -errno} stands for a failed
 * call, as the kernel itself gives it, so that no state outlives a call.
 */
final class Libc {
  private static final MethodHandle OPENAT = ofPointer("openat");
  private static final MethodHandle FCNTL = ofCommand("fcntl");
  private static final MethodHandle IOCTL_POINTER = ofCommand("ioctl");
  private static final MethodHandle IOCTL_INT = ofNumbers("ioctl");
  private static final MethodHandle CLOSE = ofNumbers("close");
  private static final MethodHandle PREAD = ofPointer("pread");
  private static final MethodHandle PWRITE = ofPointer("pwrite");
  private static final MethodHandle LSEEK = ofNumbers("lseek");
  private static final MethodHandle FTRUNCATE = ofNumbers("ftruncate");
  private static final MethodHandle FSYNC = ofNumbers("fsync");
  private static final MethodHandle FDATASYNC = ofNumbers("fdatasync");
  private static final MethodHandle FALLOCATE = ofNumbers("fallocate");
  private static final MethodHandle SYNC_FILE_RANGE = ofNumbers("sync_file_range");
  private static final MethodHandle POSIX_FADVISE = ofNumbers("posix_fadvise");
  private static final MethodHandle COPY_FILE_RANGE = ofTwoPointers("copy_file_range");
  private static final MethodHandle STATX =
      function("statx", JAVA_LONG, ADDRESS, JAVA_LONG, JAVA_LONG, ADDRESS);
  private static final MethodHandle FSTATFS = ofPointer("fstatfs");
  private static final MethodHandle GETDENTS = ofPointer("getdents64");
  private static final MethodHandle MKDIRAT = ofPointer("mkdirat");
  private static final MethodHandle MKNODAT = ofPointer("mknodat");
  private static final MethodHandle LINKAT = ofTwoPointers("linkat");
  private static final MethodHandle RENAMEAT = ofTwoPointers("renameat");
  private static final MethodHandle UNLINKAT = ofPointer("unlinkat");
  private static final MethodHandle FCHMOD = ofNumbers("fchmod");
  private static final MethodHandle FCHOWN = ofNumbers("fchown");
  private static final MethodHandle GETEUID = ofNumbers("geteuid");
  private static final MethodHandle UMASK = ofNumbers("umask");

  /** Functions that few agents need. */
  private static final class Rare {
    static final MethodHandle GETGRNAM_R =
        function("getgrnam_r", ADDRESS, ADDRESS, ADDRESS, JAVA_LONG, ADDRESS);
    static final MethodHandle SYSCALL =
        function("syscall", JAVA_LONG, JAVA_LONG, ADDRESS, ADDRESS, JAVA_LONG);
  }

  /** The directory for names that are paths from the root. */
  static final int AT_FDCWD = -100;

  private static final long SYS_CACHESTAT = 451;

  private static final long GROUP_BYTES = 32;

  /** A group's record includes its members. */
  private static final long GROUP_STRINGS_BYTES = 1 << 20;

  private Libc() {}

  static int open(String path, int flags, int mode) {
    return openat(AT_FDCWD, path, flags, mode);
  }

  static int openat(int directory, String name, int flags, int mode) {
    return code((state, arena) ->
        (long)
            OPENAT.invokeExact(
                state, (long) directory, arena.allocateFrom(name), (long) flags, (long) mode));
  }

  static int fcntl(int fd, int command, MemorySegment argument) {
    return code((state, _) -> (long) FCNTL.invokeExact(state, (long) fd, (long) command, argument));
  }

  static int ioctl(int fd, long request, MemorySegment argument) {
    return code(
        (state, _) -> (long) IOCTL_POINTER.invokeExact(state, (long) fd, request, argument));
  }

  static int ioctl(int fd, long request, int argument) {
    return code(
        (state, _) -> (long) IOCTL_INT.invokeExact(state, (long) fd, request, (long) argument, 0L));
  }

  static int close(int fd) {
    return code((state, _) -> (long) CLOSE.invokeExact(state, (long) fd, 0L, 0L, 0L));
  }

  static long pread(int fd, MemorySegment into, long offset) {
    return result(
        (state, _) -> (long) PREAD.invokeExact(state, (long) fd, into, into.byteSize(), offset));
  }

  static long pwrite(int fd, MemorySegment from, long offset) {
    return result(
        (state, _) -> (long) PWRITE.invokeExact(state, (long) fd, from, from.byteSize(), offset));
  }

  static long lseek(int fd, long offset, int whence) {
    return result(
        (state, _) -> (long) LSEEK.invokeExact(state, (long) fd, offset, (long) whence, 0L));
  }

  static int ftruncate(int fd, long size) {
    return code((state, _) -> (long) FTRUNCATE.invokeExact(state, (long) fd, size, 0L, 0L));
  }

  static int fsync(int fd) {
    return code((state, _) -> (long) FSYNC.invokeExact(state, (long) fd, 0L, 0L, 0L));
  }

  static int fdatasync(int fd) {
    return code((state, _) -> (long) FDATASYNC.invokeExact(state, (long) fd, 0L, 0L, 0L));
  }

  static int fallocate(int fd, int mode, long offset, long length) {
    return code(
        (state, _) -> (long) FALLOCATE.invokeExact(state, (long) fd, (long) mode, offset, length));
  }

  static int syncFileRange(int fd, long offset, long length, int flags) {
    return code((state, _) ->
        (long) SYNC_FILE_RANGE.invokeExact(state, (long) fd, offset, length, (long) flags));
  }

  /** Unlike the other calls, this one returns its error number itself and does not set errno. */
  static int posixFadvise(int fd, long offset, long length, int advice) {
    return -code((state, _) ->
        (long) POSIX_FADVISE.invokeExact(state, (long) fd, offset, length, (long) advice));
  }

  static long copyFileRange(int from, long fromOffset, int to, long toOffset, long length) {
    return result((state, arena) -> {
      MemorySegment in = arena.allocateFrom(JAVA_LONG, fromOffset);
      MemorySegment out = arena.allocateFrom(JAVA_LONG, toOffset);
      return (long) COPY_FILE_RANGE.invokeExact(state, (long) from, in, (long) to, out, length, 0L);
    });
  }

  static int statx(int directory, String name, int flags, int mask, MemorySegment into) {
    return code((state, arena) ->
        (long)
            STATX.invokeExact(
                state,
                (long) directory,
                arena.allocateFrom(name),
                (long) flags,
                (long) mask,
                into));
  }

  static int fstatfs(int fd, MemorySegment into) {
    return code((state, _) -> (long) FSTATFS.invokeExact(state, (long) fd, into, 0L, 0L));
  }

  static long getdents(int directory, MemorySegment into) {
    return result((state, _) ->
        (long) GETDENTS.invokeExact(state, (long) directory, into, into.byteSize(), 0L));
  }

  static int mkdirat(int directory, String name, int mode) {
    return code((state, arena) ->
        (long)
            MKDIRAT.invokeExact(
                state, (long) directory, arena.allocateFrom(name), (long) mode, 0L));
  }

  /**
   * @param mode with the kind of the node
   */
  static int mknodat(int directory, String name, int mode, long device) {
    return code((state, arena) ->
        (long)
            MKNODAT.invokeExact(
                state, (long) directory, arena.allocateFrom(name), (long) mode, device));
  }

  /** Links the entry itself: a symbolic link, not the link's target. */
  static int linkat(int from, String existing, int to, String name) {
    return code((state, arena) ->
        (long)
            LINKAT.invokeExact(
                state,
                (long) from,
                arena.allocateFrom(existing),
                (long) to,
                arena.allocateFrom(name),
                0L,
                0L));
  }

  static int renameat(int from, String existing, int to, String name) {
    return code((state, arena) ->
        (long)
            RENAMEAT.invokeExact(
                state,
                (long) from,
                arena.allocateFrom(existing),
                (long) to,
                arena.allocateFrom(name),
                0L,
                0L));
  }

  static int unlinkat(int directory, String name, int flags) {
    return code((state, arena) ->
        (long)
            UNLINKAT.invokeExact(
                state, (long) directory, arena.allocateFrom(name), (long) flags, 0L));
  }

  static int fchmod(int fd, int mode) {
    return code((state, _) -> (long) FCHMOD.invokeExact(state, (long) fd, (long) mode, 0L, 0L));
  }

  static int fchown(int fd, int uid, int gid) {
    return code(
        (state, _) -> (long) FCHOWN.invokeExact(state, (long) fd, (long) uid, (long) gid, 0L));
  }

  static int geteuid() {
    return code((state, _) -> (long) GETEUID.invokeExact(state, 0L, 0L, 0L, 0L));
  }

  /** The group's number is the third field of the record, behind two pointers. */
  static OptionalInt groupOf(String name) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment group = arena.allocate(GROUP_BYTES, Long.BYTES);
      MemorySegment strings = arena.allocate(GROUP_STRINGS_BYTES);
      MemorySegment found = arena.allocate(ADDRESS);
      var _ =
          code((state, own) ->
              (long)
                  Rare.GETGRNAM_R.invokeExact(
                      state, own.allocateFrom(name), group, strings, strings.byteSize(), found));
      return found.get(ADDRESS, 0).equals(MemorySegment.NULL)
          ? OptionalInt.empty()
          : OptionalInt.of(group.get(JAVA_INT, 2 * ADDRESS.byteSize()));
    }
  }

  static int umask(int mask) {
    return code((state, _) -> (long) UMASK.invokeExact(state, (long) mask, 0L, 0L, 0L));
  }

  /** The C library of today does not know this call yet. */
  static long cachestat(int fd, MemorySegment range, MemorySegment into) {
    return result((state, _) ->
        (long) Rare.SYSCALL.invokeExact(state, SYS_CACHESTAT, (long) fd, range, into, 0L));
  }
}
