package io.quarry.agent.data.os;

import static io.quarry.agent.data.os.Downcall.code;
import static io.quarry.agent.data.os.Downcall.function;
import static io.quarry.agent.data.os.Downcall.result;
import static io.quarry.agent.data.os.Downcall.variadic;
import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.util.OptionalInt;

/**
 * The C library's files, one method for each call. A result of {@code -errno} stands for a failed
 * call, as the kernel itself gives it, so that no state outlives a call.
 */
final class Libc {
  // open, openat, fcntl and ioctl are variadic in C, which the calling convention heeds.
  private static final MethodHandle OPEN =
      variadic("open", 2, FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT, JAVA_INT));
  private static final MethodHandle OPENAT =
      variadic("openat", 3, FunctionDescriptor.of(JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT, JAVA_INT));
  private static final MethodHandle FCNTL =
      variadic("fcntl", 2, FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT, ADDRESS));
  private static final MethodHandle IOCTL_POINTER =
      variadic("ioctl", 2, FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_LONG, ADDRESS));
  private static final MethodHandle IOCTL_INT =
      variadic("ioctl", 2, FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_LONG, JAVA_INT));
  private static final MethodHandle CLOSE =
      function("close", FunctionDescriptor.of(JAVA_INT, JAVA_INT));
  private static final MethodHandle PREAD =
      function("pread", FunctionDescriptor.of(JAVA_LONG, JAVA_INT, ADDRESS, JAVA_LONG, JAVA_LONG));
  private static final MethodHandle PWRITE =
      function("pwrite", FunctionDescriptor.of(JAVA_LONG, JAVA_INT, ADDRESS, JAVA_LONG, JAVA_LONG));
  private static final MethodHandle LSEEK =
      function("lseek", FunctionDescriptor.of(JAVA_LONG, JAVA_INT, JAVA_LONG, JAVA_INT));
  private static final MethodHandle FTRUNCATE =
      function("ftruncate", FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_LONG));
  private static final MethodHandle FSYNC =
      function("fsync", FunctionDescriptor.of(JAVA_INT, JAVA_INT));
  private static final MethodHandle FDATASYNC =
      function("fdatasync", FunctionDescriptor.of(JAVA_INT, JAVA_INT));
  private static final MethodHandle FALLOCATE =
      function(
          "fallocate", FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT, JAVA_LONG, JAVA_LONG));
  private static final MethodHandle SYNC_FILE_RANGE =
      function(
          "sync_file_range",
          FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_INT));
  private static final MethodHandle POSIX_FADVISE =
      function(
          "posix_fadvise",
          FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_INT));
  private static final MethodHandle COPY_FILE_RANGE =
      function(
          "copy_file_range",
          FunctionDescriptor.of(
              JAVA_LONG, JAVA_INT, ADDRESS, JAVA_INT, ADDRESS, JAVA_LONG, JAVA_INT));
  private static final MethodHandle STATX =
      function(
          "statx", FunctionDescriptor.of(JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT, JAVA_INT, ADDRESS));
  private static final MethodHandle FSTATFS =
      function("fstatfs", FunctionDescriptor.of(JAVA_INT, JAVA_INT, ADDRESS));
  private static final MethodHandle GETDENTS =
      function("getdents64", FunctionDescriptor.of(JAVA_LONG, JAVA_INT, ADDRESS, JAVA_LONG));
  private static final MethodHandle MKDIRAT =
      function("mkdirat", FunctionDescriptor.of(JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT));
  private static final MethodHandle LINKAT =
      function(
          "linkat",
          FunctionDescriptor.of(JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT, ADDRESS, JAVA_INT));
  private static final MethodHandle RENAMEAT =
      function("renameat", FunctionDescriptor.of(JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT, ADDRESS));
  private static final MethodHandle UNLINKAT =
      function("unlinkat", FunctionDescriptor.of(JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT));
  private static final MethodHandle FCHMOD =
      function("fchmod", FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT));
  private static final MethodHandle FCHOWN =
      function("fchown", FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT));
  private static final MethodHandle GETEUID = function("geteuid", FunctionDescriptor.of(JAVA_INT));
  private static final MethodHandle GETGRNAM_R =
      function(
          "getgrnam_r",
          FunctionDescriptor.of(JAVA_INT, ADDRESS, ADDRESS, ADDRESS, JAVA_LONG, ADDRESS));
  private static final MethodHandle UMASK =
      function("umask", FunctionDescriptor.of(JAVA_INT, JAVA_INT));
  private static final MethodHandle SYSCALL =
      variadic(
          "syscall",
          1,
          FunctionDescriptor.of(JAVA_LONG, JAVA_LONG, JAVA_LONG, ADDRESS, ADDRESS, JAVA_INT));

  private static final long SYS_CACHESTAT = 451;

  private static final long GROUP_BYTES = 32;

  /** A group's record includes its members. */
  private static final long GROUP_STRINGS_BYTES = 1 << 20;

  private Libc() {}

  static int open(String path, int flags, int mode) {
    return code(
        (state, arena) -> (int) OPEN.invokeExact(state, arena.allocateFrom(path), flags, mode));
  }

  static int openat(int directory, String name, int flags, int mode) {
    return code((state, arena) ->
        (int) OPENAT.invokeExact(state, directory, arena.allocateFrom(name), flags, mode));
  }

  static int fcntl(int fd, int command, MemorySegment argument) {
    return code((state, _) -> (int) FCNTL.invokeExact(state, fd, command, argument));
  }

  static int ioctl(int fd, long request, MemorySegment argument) {
    return code((state, _) -> (int) IOCTL_POINTER.invokeExact(state, fd, request, argument));
  }

  static int ioctl(int fd, long request, int argument) {
    return code((state, _) -> (int) IOCTL_INT.invokeExact(state, fd, request, argument));
  }

  static int close(int fd) {
    return code((state, _) -> (int) CLOSE.invokeExact(state, fd));
  }

  static long pread(int fd, MemorySegment into, long offset) {
    return result((state, _) -> (long) PREAD.invokeExact(state, fd, into, into.byteSize(), offset));
  }

  static long pwrite(int fd, MemorySegment from, long offset) {
    return result(
        (state, _) -> (long) PWRITE.invokeExact(state, fd, from, from.byteSize(), offset));
  }

  static long lseek(int fd, long offset, int whence) {
    return result((state, _) -> (long) LSEEK.invokeExact(state, fd, offset, whence));
  }

  static int ftruncate(int fd, long size) {
    return code((state, _) -> (int) FTRUNCATE.invokeExact(state, fd, size));
  }

  static int fsync(int fd) {
    return code((state, _) -> (int) FSYNC.invokeExact(state, fd));
  }

  static int fdatasync(int fd) {
    return code((state, _) -> (int) FDATASYNC.invokeExact(state, fd));
  }

  static int fallocate(int fd, int mode, long offset, long length) {
    return code((state, _) -> (int) FALLOCATE.invokeExact(state, fd, mode, offset, length));
  }

  static int syncFileRange(int fd, long offset, long length, int flags) {
    return code((state, _) -> (int) SYNC_FILE_RANGE.invokeExact(state, fd, offset, length, flags));
  }

  /** Unlike the other calls, this one returns its error number itself and does not set errno. */
  static int posixFadvise(int fd, long offset, long length, int advice) {
    return -code((state, _) -> (int) POSIX_FADVISE.invokeExact(state, fd, offset, length, advice));
  }

  static long copyFileRange(int from, long fromOffset, int to, long toOffset, long length) {
    return result((state, arena) -> {
      MemorySegment in = arena.allocateFrom(JAVA_LONG, fromOffset);
      MemorySegment out = arena.allocateFrom(JAVA_LONG, toOffset);
      return (long) COPY_FILE_RANGE.invokeExact(state, from, in, to, out, length, 0);
    });
  }

  static int statx(int directory, String name, int flags, int mask, MemorySegment into) {
    return code((state, arena) ->
        (int) STATX.invokeExact(state, directory, arena.allocateFrom(name), flags, mask, into));
  }

  static int fstatfs(int fd, MemorySegment into) {
    return code((state, _) -> (int) FSTATFS.invokeExact(state, fd, into));
  }

  static long getdents(int directory, MemorySegment into) {
    return result(
        (state, _) -> (long) GETDENTS.invokeExact(state, directory, into, into.byteSize()));
  }

  static int mkdirat(int directory, String name, int mode) {
    return code((state, arena) ->
        (int) MKDIRAT.invokeExact(state, directory, arena.allocateFrom(name), mode));
  }

  /** Links the entry itself: a symbolic link, not the link's target. */
  static int linkat(int from, String existing, int to, String name) {
    return code((state, arena) ->
        (int)
            LINKAT.invokeExact(
                state, from, arena.allocateFrom(existing), to, arena.allocateFrom(name), 0));
  }

  static int renameat(int from, String existing, int to, String name) {
    return code((state, arena) ->
        (int)
            RENAMEAT.invokeExact(
                state, from, arena.allocateFrom(existing), to, arena.allocateFrom(name)));
  }

  static int unlinkat(int directory, String name, int flags) {
    return code((state, arena) ->
        (int) UNLINKAT.invokeExact(state, directory, arena.allocateFrom(name), flags));
  }

  static int fchmod(int fd, int mode) {
    return code((state, _) -> (int) FCHMOD.invokeExact(state, fd, mode));
  }

  static int fchown(int fd, int uid, int gid) {
    return code((state, _) -> (int) FCHOWN.invokeExact(state, fd, uid, gid));
  }

  static int geteuid() {
    return code((state, _) -> (int) GETEUID.invokeExact(state));
  }

  /** The group's number is the third field of the record, behind two pointers. */
  static OptionalInt groupOf(String name) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment group = arena.allocate(GROUP_BYTES, Long.BYTES);
      MemorySegment strings = arena.allocate(GROUP_STRINGS_BYTES);
      MemorySegment found = arena.allocate(ADDRESS);
      var _ =
          code((state, own) ->
              (int)
                  GETGRNAM_R.invokeExact(
                      state, own.allocateFrom(name), group, strings, strings.byteSize(), found));
      return found.get(ADDRESS, 0).equals(MemorySegment.NULL)
          ? OptionalInt.empty()
          : OptionalInt.of(group.get(JAVA_INT, 2 * ADDRESS.byteSize()));
    }
  }

  static int umask(int mask) {
    return code((state, _) -> (int) UMASK.invokeExact(state, mask));
  }

  /** The C library of today does not know this call yet. */
  static long cachestat(int fd, MemorySegment range, MemorySegment into) {
    return result(
        (state, _) -> (long) SYSCALL.invokeExact(state, SYS_CACHESTAT, (long) fd, range, into, 0));
  }
}
