package io.quarry.agent.guardian;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;

/** The two calls to Linux that Java does not offer: becoming a subreaper, and reaping. */
final class SystemCalls {
  /** What {@link #reap} answers when there is no such child. */
  static final int NO_CHILD = -1;

  /** Names every child to {@link #reap}. */
  static final int ANY_CHILD = -1;

  private static final int PR_SET_CHILD_SUBREAPER = 36;
  private static final int WNOHANG = 1;
  private static final int WALL = 0x40000000;
  private static final int EINTR = 4;
  private static final int ECHILD = 10;

  private static final Linker LINKER = Linker.nativeLinker();
  private static final MemoryLayout CALL_STATE = Linker.Option.captureStateLayout();
  private static final VarHandle ERRNO =
      CALL_STATE.varHandle(MemoryLayout.PathElement.groupElement("errno"));
  private static final Linker.Option CAPTURE_ERRNO = Linker.Option.captureCallState("errno");

  private static final MethodHandle PRCTL =
      LINKER.downcallHandle(
          LINKER.defaultLookup().findOrThrow("prctl"),
          FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_LONG),
          Linker.Option.firstVariadicArg(1),
          CAPTURE_ERRNO);

  private static final MethodHandle WAITPID =
      LINKER.downcallHandle(
          LINKER.defaultLookup().findOrThrow("waitpid"),
          FunctionDescriptor.of(JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT),
          CAPTURE_ERRNO);

  private SystemCalls() {}

  /** From now on every orphan among this process's descendants becomes this process's child. */
  static void becomeSubreaper() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(CALL_STATE);
      int result = (int) PRCTL.invokeExact(state, PR_SET_CHILD_SUBREAPER, 1L);
      if (result != 0) {
        throw new IllegalStateException(
            "prctl(PR_SET_CHILD_SUBREAPER) failed, errno " + (int) ERRNO.get(state, 0L));
      }
    } catch (RuntimeException | Error failure) {
      throw failure;
    } catch (Throwable impossible) {
      throw new IllegalStateException(impossible);
    }
  }

  /**
   * Reaps one dead child without waiting.
   *
   * @return its pid; 0 when the child, or every child, still lives; {@link #NO_CHILD} when there is
   *     none. Since orphans come to a subreaper, "no child" of {@link #ANY_CHILD} means that no
   *     descendant is left.
   */
  static int reap(int pid) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(CALL_STATE);
      while (true) {
        int result = (int) WAITPID.invokeExact(state, pid, MemorySegment.NULL, WNOHANG | WALL);
        if (result >= 0) {
          return result;
        }
        int errno = (int) ERRNO.get(state, 0L);
        if (errno == ECHILD) {
          return NO_CHILD;
        }
        if (errno != EINTR) {
          throw new IllegalStateException("waitpid(" + pid + ") failed, errno " + errno);
        }
      }
    } catch (RuntimeException | Error failure) {
      throw failure;
    } catch (Throwable impossible) {
      throw new IllegalStateException(impossible);
    }
  }
}
