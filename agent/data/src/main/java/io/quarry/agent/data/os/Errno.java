package io.quarry.agent.data.os;

import io.quarry.agent.data.os.FileFailure.Kind;
import org.jspecify.annotations.Nullable;

/**
 * The error numbers that this package distinguishes; their values are the same on every supported
 * Linux. The texts are fixed here, since the C library's texts follow the locale of the process.
 */
public enum Errno {
  EPERM(1, Kind.FORBIDDEN, "Operation not permitted"),
  ENOENT(2, Kind.NOT_FOUND, "No such file or directory"),
  EINTR(4, Kind.OTHER, "Interrupted system call"),
  EIO(5, Kind.INPUT_OUTPUT, "Input/output error"),
  ENXIO(6, Kind.REFUSED, "It is a FIFO, a socket or a device"),
  ECHILD(10, Kind.OTHER, "No child processes"),
  EAGAIN(11, Kind.OTHER, "Resource temporarily unavailable"),
  EACCES(13, Kind.FORBIDDEN, "Permission denied"),
  EBUSY(16, Kind.OTHER, "Device or resource busy"),
  EEXIST(17, Kind.EXISTS, "File exists"),
  EXDEV(18, Kind.REFUSED, "It is on another filesystem"),
  ENODEV(19, Kind.REFUSED, "It is a device that does not exist"),
  ENOTDIR(20, Kind.REFUSED, "It is not a directory"),
  EISDIR(21, Kind.REFUSED, "It is a directory"),
  EINVAL(22, Kind.OTHER, "Invalid argument"),
  ENFILE(23, Kind.TOO_MANY_OPEN, "Too many open files on this host"),
  EMFILE(24, Kind.TOO_MANY_OPEN, "Too many open files in this process"),
  ENOTTY(25, Kind.OTHER, "Inappropriate ioctl for device"),
  EFBIG(27, Kind.TOO_LARGE, "File too large for this filesystem"),
  ENOSPC(28, Kind.NO_SPACE, "No space left on device"),
  ESPIPE(29, Kind.OTHER, "Illegal seek"),
  EROFS(30, Kind.READ_ONLY, "Read-only file system"),
  ENAMETOOLONG(36, Kind.OTHER, "File name too long"),
  ENOLCK(37, Kind.OTHER, "No locks available"),
  ENOSYS(38, Kind.OTHER, "Function not implemented"),
  ENOTEMPTY(39, Kind.NOT_EMPTY, "Directory not empty"),
  ELOOP(40, Kind.REFUSED, "It is a symbolic link"),
  EPROTONOSUPPORT(93, Kind.OTHER, "Protocol not supported"),
  EOPNOTSUPP(95, Kind.OTHER, "Operation not supported"),
  ENETUNREACH(101, Kind.OTHER, "Network is unreachable"),
  ETIMEDOUT(110, Kind.OTHER, "Connection timed out"),
  ECONNREFUSED(111, Kind.OTHER, "Connection refused"),
  EHOSTDOWN(112, Kind.OTHER, "Host is down"),
  EHOSTUNREACH(113, Kind.OTHER, "No route to host"),
  ESTALE(116, Kind.NOT_FOUND, "Stale file handle"),
  EDQUOT(122, Kind.NO_SPACE, "Disk quota exceeded");

  private final int number;
  private final Kind kind;
  private final String text;

  Errno(int number, Kind kind, String text) {
    this.number = number;
    this.kind = kind;
    this.text = text;
  }

  /** Whether a call has returned this error; a failed call gives {@code -errno}. */
  boolean is(long result) {
    return result == -number;
  }

  int number() {
    return number;
  }

  /** Null for a number that this package does not distinguish. */
  public static @Nullable Errno of(int number) {
    for (Errno each : values()) {
      if (each.number == number) {
        return each;
      }
    }
    return null;
  }

  static Kind kindOf(int number) {
    Errno found = of(number);
    return found == null ? Kind.OTHER : found.kind;
  }

  public static String textOf(int number) {
    Errno found = of(number);
    return found == null ? "errno " + number : found.text;
  }

  /**
   * Whether the kernel does not offer the call for this file, filesystem or pair of files.
   *
   * @param result of the call
   */
  static boolean meansNotSupported(long result) {
    return EOPNOTSUPP.is(result)
        || ENOSYS.is(result)
        || ENOTTY.is(result)
        || EXDEV.is(result)
        || EINVAL.is(result);
  }
}
