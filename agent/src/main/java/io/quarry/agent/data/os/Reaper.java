package io.quarry.agent.data.os;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.OptionalLong;

/**
 * Adoption of orphans, for the guardian: when the agent dies, its children become the guardian's
 * and their end can be waited for, which is the proof that nobody writes any more.
 */
public final class Reaper {
  private static final int PR_SET_CHILD_SUBREAPER = 36;
  private static final int ANY_CHILD = -1;
  private static final int WNOHANG = 1;

  private Reaper() {}

  /** From now on, orphaned descendants become children of this process. */
  public static void adoptOrphans() throws IOException {
    int result = Libc.prctl(PR_SET_CHILD_SUBREAPER, 1);
    if (result < 0) {
      throw new IOException("prctl(PR_SET_CHILD_SUBREAPER): " + Libc.describe(-result));
    }
  }

  /** Takes away one ended child, of any origin, without waiting; empty: none has ended. */
  public static OptionalLong reapOne() throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment status = arena.allocate(JAVA_INT);
      int pid = Libc.waitpid(ANY_CHILD, status, WNOHANG);
      if (pid < 0 && pid != -Errno.ECHILD) {
        throw new IOException("waitpid: " + Libc.describe(-pid));
      }
      return pid > 0 ? OptionalLong.of(pid) : OptionalLong.empty();
    }
  }
}
