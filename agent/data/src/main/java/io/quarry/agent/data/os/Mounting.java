package io.quarry.agent.data.os;

import static io.quarry.agent.data.os.Downcall.code;
import static io.quarry.agent.data.os.Downcall.function;
import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.invoke.MethodHandle;
import java.nio.file.Path;

/**
 * The system calls that mount and unmount. The calls need the capability CAP_SYS_ADMIN, and may
 * wait for a file server. They stand apart from the other calls, because a child that only mounts
 * has to start fast.
 */
public final class Mounting {
  private static final MethodHandle MOUNT =
      function("mount", ADDRESS, ADDRESS, ADDRESS, JAVA_LONG, ADDRESS);
  private static final MethodHandle UMOUNT2 = function("umount2", ADDRESS, JAVA_LONG);

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
    checked(
        point,
        "mount",
        code((state, arena) ->
            (long)
                MOUNT.invokeExact(
                    state,
                    arena.allocateFrom(source),
                    arena.allocateFrom(point.toString()),
                    arena.allocateFrom(type),
                    flags,
                    arena.allocateFrom(options))));
  }

  /**
   * Unmounts what is visible at the directory.
   *
   * @param lazily frees the directory at once; processes keep the files that they have open
   */
  public static void unmount(Path point, boolean lazily) throws FileFailure {
    long flags = NO_FOLLOW | (lazily ? LAZILY : 0);
    checked(
        point,
        "unmount",
        code((state, arena) ->
            (long) UMOUNT2.invokeExact(state, arena.allocateFrom(point.toString()), flags)));
  }

  private static void checked(Path point, String operation, int result) throws FileFailure {
    if (result < 0) {
      throw FileFailure.of(-result, point, operation);
    }
  }
}
