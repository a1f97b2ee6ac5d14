package io.quarry.agent.data.os;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;

/**
 * The C library, one method for each call. A result of {@code -errno} stands for a failed call, as
 * the kernel itself gives it, so that no state outlives a call.
 */
final class Libc {
  private static final Linker LINKER = Linker.nativeLinker();
  private static final SymbolLookup SYMBOLS = LINKER.defaultLookup();
  private static final Linker.Option CAPTURE_ERRNO = Linker.Option.captureCallState("errno");
  private static final MemoryLayout STATE = Linker.Option.captureStateLayout();
  private static final VarHandle ERRNO =
      STATE.varHandle(MemoryLayout.PathElement.groupElement("errno"));

  // open, fcntl and ioctl are variadic in C, which matters to the calling convention.
  private static final MethodHandle OPEN =
      variadic("open", 2, FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT, JAVA_INT));
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
  private static final MethodHandle SYSCALL =
      variadic(
          "syscall",
          1,
          FunctionDescriptor.of(JAVA_LONG, JAVA_LONG, JAVA_LONG, ADDRESS, ADDRESS, JAVA_INT));
  private static final MethodHandle STRERROR =
      LINKER.downcallHandle(
          SYMBOLS.findOrThrow("strerror"), FunctionDescriptor.of(ADDRESS, JAVA_INT));

  private static final long SYS_CACHESTAT = 451;
  private static final long ERROR_TEXT_BYTES_MAX = 256;

  private Libc() {}

  static int open(String path, int flags, int mode) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(STATE);
      int result = (int) OPEN.invokeExact(state, arena.allocateFrom(path), flags, mode);
      return result < 0 ? -errno(state) : result;
    } catch (Throwable e) {
      throw impossible(e);
    }
  }

  static int fcntl(int fd, int command, MemorySegment argument) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(STATE);
      int result = (int) FCNTL.invokeExact(state, fd, command, argument);
      return result < 0 ? -errno(state) : result;
    } catch (Throwable e) {
      throw impossible(e);
    }
  }

  static int ioctl(int fd, long request, MemorySegment argument) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(STATE);
      int result = (int) IOCTL_POINTER.invokeExact(state, fd, request, argument);
      return result < 0 ? -errno(state) : result;
    } catch (Throwable e) {
      throw impossible(e);
    }
  }

  static int ioctl(int fd, long request, int argument) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(STATE);
      int result = (int) IOCTL_INT.invokeExact(state, fd, request, argument);
      return result < 0 ? -errno(state) : result;
    } catch (Throwable e) {
      throw impossible(e);
    }
  }

  static int close(int fd) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(STATE);
      int result = (int) CLOSE.invokeExact(state, fd);
      return result < 0 ? -errno(state) : result;
    } catch (Throwable e) {
      throw impossible(e);
    }
  }

  static long pread(int fd, MemorySegment into, long offset) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(STATE);
      long result = (long) PREAD.invokeExact(state, fd, into, into.byteSize(), offset);
      return result < 0 ? -errno(state) : result;
    } catch (Throwable e) {
      throw impossible(e);
    }
  }

  static long pwrite(int fd, MemorySegment from, long offset) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(STATE);
      long result = (long) PWRITE.invokeExact(state, fd, from, from.byteSize(), offset);
      return result < 0 ? -errno(state) : result;
    } catch (Throwable e) {
      throw impossible(e);
    }
  }

  static long lseek(int fd, long offset, int whence) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(STATE);
      long result = (long) LSEEK.invokeExact(state, fd, offset, whence);
      return result < 0 ? -errno(state) : result;
    } catch (Throwable e) {
      throw impossible(e);
    }
  }

  static int ftruncate(int fd, long size) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(STATE);
      int result = (int) FTRUNCATE.invokeExact(state, fd, size);
      return result < 0 ? -errno(state) : result;
    } catch (Throwable e) {
      throw impossible(e);
    }
  }

  static int fdatasync(int fd) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(STATE);
      int result = (int) FDATASYNC.invokeExact(state, fd);
      return result < 0 ? -errno(state) : result;
    } catch (Throwable e) {
      throw impossible(e);
    }
  }

  static int fallocate(int fd, int mode, long offset, long length) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(STATE);
      int result = (int) FALLOCATE.invokeExact(state, fd, mode, offset, length);
      return result < 0 ? -errno(state) : result;
    } catch (Throwable e) {
      throw impossible(e);
    }
  }

  static int syncFileRange(int fd, long offset, long length, int flags) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(STATE);
      int result = (int) SYNC_FILE_RANGE.invokeExact(state, fd, offset, length, flags);
      return result < 0 ? -errno(state) : result;
    } catch (Throwable e) {
      throw impossible(e);
    }
  }

  /** Unlike the others, this one returns its error number itself and leaves errno alone. */
  static int posixFadvise(int fd, long offset, long length, int advice) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(STATE);
      return -(int) POSIX_FADVISE.invokeExact(state, fd, offset, length, advice);
    } catch (Throwable e) {
      throw impossible(e);
    }
  }

  static long copyFileRange(int from, long fromOffset, int to, long toOffset, long length) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(STATE);
      MemorySegment in = arena.allocateFrom(JAVA_LONG, fromOffset);
      MemorySegment out = arena.allocateFrom(JAVA_LONG, toOffset);
      long result = (long) COPY_FILE_RANGE.invokeExact(state, from, in, to, out, length, 0);
      return result < 0 ? -errno(state) : result;
    } catch (Throwable e) {
      throw impossible(e);
    }
  }

  static int statx(int directory, String path, int flags, int mask, MemorySegment result) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(STATE);
      MemorySegment name = arena.allocateFrom(path);
      int code = (int) STATX.invokeExact(state, directory, name, flags, mask, result);
      return code < 0 ? -errno(state) : code;
    } catch (Throwable e) {
      throw impossible(e);
    }
  }

  /** The C library of today does not know this call yet. */
  static long cachestat(int fd, MemorySegment range, MemorySegment result) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(STATE);
      long code = (long) SYSCALL.invokeExact(state, SYS_CACHESTAT, (long) fd, range, result, 0);
      return code < 0 ? -errno(state) : code;
    } catch (Throwable e) {
      throw impossible(e);
    }
  }

  static String describe(int errno) {
    try {
      MemorySegment text = (MemorySegment) STRERROR.invokeExact(errno);
      return text.reinterpret(ERROR_TEXT_BYTES_MAX).getString(0);
    } catch (Throwable e) {
      throw impossible(e);
    }
  }

  private static int errno(MemorySegment state) {
    return (int) ERRNO.get(state, 0L);
  }

  private static MethodHandle function(String name, FunctionDescriptor descriptor) {
    return LINKER.downcallHandle(SYMBOLS.findOrThrow(name), descriptor, CAPTURE_ERRNO);
  }

  private static MethodHandle variadic(String name, int fixed, FunctionDescriptor descriptor) {
    return LINKER.downcallHandle(
        SYMBOLS.findOrThrow(name),
        descriptor,
        CAPTURE_ERRNO,
        Linker.Option.firstVariadicArg(fixed));
  }

  /**
   * A downcall itself throws nothing checked; an Error must not be dressed up as something else.
   */
  private static RuntimeException impossible(Throwable e) {
    return switch (e) {
      case RuntimeException runtime -> runtime;
      case Error error -> throw error;
      default -> new IllegalStateException("native call failed", e);
    };
  }
}
