package io.quarry.agent.data.os;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.FunctionDescriptor;
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

  // prctl is variadic in C, which the calling convention heeds.
  private static final MethodHandle PRCTL =
      Downcall.variadic("prctl", 1, FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_LONG));
  private static final MethodHandle WAITPID =
      Downcall.function("waitpid", FunctionDescriptor.of(JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT));

  private Reaper() {}

  /** From now on every orphan among this process's descendants becomes this process's child. */
  public static void adoptOrphans() {
    int result =
        Downcall.code((state, _) -> (int) PRCTL.invokeExact(state, PR_SET_CHILD_SUBREAPER, 1L));
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
              (int) WAITPID.invokeExact(state, pid, MemorySegment.NULL, WNOHANG | WALL));
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
