package io.quarry.agent.data.os;

import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/** What becomes of the processes below this one, which Java does not tell. */
public final class Reaper {
  /** The result of {@link #reap} when there is no such child. */
  public static final int NO_CHILD = -1;

  /** Stands for every child in a call of {@link #reap}. */
  public static final int ANY_CHILD = -1;

  private static final int PR_SET_CHILD_SUBREAPER = 36;
  private static final int WNOHANG = 1;
  private static final int WALL = 0x40000000;

  private static final MethodHandle PRCTL = Downcall.ofNumbers("prctl");
  private static final MethodHandle WAITPID = Downcall.ofPointer("waitpid");

  private Reaper() {}

  /** From now on every orphan among this process's descendants becomes this process's child. */
  public static void adoptOrphans() {
    int result =
        Downcall.code((state, _) ->
            (long) PRCTL.invokeExact(state, (long) PR_SET_CHILD_SUBREAPER, 1L, 0L, 0L));
    if (result < 0) {
      throw new IllegalStateException(
          "prctl(PR_SET_CHILD_SUBREAPER) failed: " + Errno.textOf(-result));
    }
  }

  /**
   * Reaps one dead child without waiting.
   *
   * @return its pid; 0 when the child still lives, or all children do; {@link #NO_CHILD} when there
   *     is none. Since orphans come to a subreaper, "no child" of {@link #ANY_CHILD} means that no
   *     descendant is left.
   */
  public static int reap(int pid) {
    int result;
    do {
      result =
          Downcall.code((state, _) ->
              (long)
                  WAITPID.invokeExact(
                      state, (long) pid, MemorySegment.NULL, (long) (WNOHANG | WALL), 0L));
    } while (Errno.EINTR.is(result));
    if (Errno.ECHILD.is(result)) {
      return NO_CHILD;
    }
    if (result < 0) {
      throw new IllegalStateException("waitpid(" + pid + ") failed: " + Errno.textOf(-result));
    }
    return result;
  }
}
