package io.quarry.agent.data.os;

/**
 * The error numbers this package tells apart; the values are the same on every Linux it runs on.
 */
final class Errno {
  static final int EPERM = 1;
  static final int ENOENT = 2;
  static final int EINTR = 4;
  static final int ENXIO = 6;
  static final int ECHILD = 10;
  static final int EAGAIN = 11;
  static final int EACCES = 13;
  static final int EEXIST = 17;
  static final int EXDEV = 18;
  static final int EINVAL = 22;
  static final int ENOTTY = 25;
  static final int ESPIPE = 29;
  static final int ENOLCK = 37;
  static final int ENOSYS = 38;
  static final int EOPNOTSUPP = 95;

  private Errno() {}

  /** Whether the kernel says that this file, filesystem or pair of them does not offer the call. */
  static boolean meansNotSupported(int errno) {
    return switch (errno) {
      case EOPNOTSUPP, ENOSYS, ENOTTY, EXDEV, EINVAL -> true;
      default -> false;
    };
  }
}
