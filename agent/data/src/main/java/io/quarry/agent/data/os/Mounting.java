package io.quarry.agent.data.os;

import java.nio.file.Path;

/**
 * The system calls that mount and unmount. The calls need the capability CAP_SYS_ADMIN, and may
 * wait for a file server.
 */
public final class Mounting {
  private static final long NO_SETUID = 2;
  private static final long NO_DEVICES = 4;
  private static final long NO_PROGRAMS = 8;
  private static final long NO_ACCESS_TIMES = 1024;
  private static final int LAZILY = 2;
  private static final int NO_FOLLOW = 8;

  private Mounting() {}

  /** Mounts a filesystem for data alone: without programs, devices and times of access. */
  public static void mount(String source, Path point, String type, String options)
      throws FileFailure {
    long flags = NO_SETUID | NO_DEVICES | NO_PROGRAMS | NO_ACCESS_TIMES;
    checked(point, "mount", Libc.mount(source, point.toString(), type, flags, options));
  }

  /**
   * Unmounts what is visible at the directory.
   *
   * @param lazily frees the directory at once; processes keep the files that they have open
   */
  public static void unmount(Path point, boolean lazily) throws FileFailure {
    int flags = NO_FOLLOW | (lazily ? LAZILY : 0);
    checked(point, "unmount", Libc.umount2(point.toString(), flags));
  }

  private static void checked(Path point, String operation, int result) throws FileFailure {
    if (result < 0) {
      throw FileFailure.of(-result, point, operation);
    }
  }
}
