package io.quarry.agent.guardian;

import io.quarry.agent.data.os.Reaper;
import io.quarry.coordinator.thread.Deadline;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Collectors;

/**
 * The processes below this one. This process is a subreaper, so every process that the agent
 * started is among them, however detached.
 */
final class Descendants {
  private static final long PAUSE_NANOS_MIN = Duration.ofMillis(1).toNanos();
  private static final long PAUSE_NANOS_MAX = Duration.ofMillis(50).toNanos();

  private Descendants() {}

  /**
   * Kills every descendant, also those born meanwhile, and reaps them. The agent's own exit must
   * have been collected before.
   *
   * @param doomed earlier survivors that are not waited for
   * @return killed processes that still exist, since the kernel holds them, on a hung mount for
   *     example; they can neither run again nor fork
   */
  static Set<ProcessHandle> killAll(Duration within, Set<ProcessHandle> doomed) {
    Deadline deadline = Deadline.after(within);
    long pause = PAUSE_NANOS_MIN;
    while (true) {
      if (reapDead() == Reaper.NO_CHILD) {
        return Set.of();
      }
      Set<ProcessHandle> left =
          ProcessHandle.current()
              .descendants()
              .filter(process -> !doomed.contains(process))
              .collect(Collectors.toSet());
      left.forEach(ProcessHandle::destroyForcibly);
      if ((left.isEmpty() && !doomed.isEmpty()) || deadline.passed()) {
        return left;
      }
      LockSupport.parkNanos(pause);
      pause = Math.min(pause * 2, PAUSE_NANOS_MAX);
    }
  }

  /** Reaps orphans that ended during the agent's life; Java itself reaps the agent. */
  static void reapOrphans(long agentPid) {
    ProcessHandle.current()
        .children()
        .mapToLong(ProcessHandle::pid)
        .filter(pid -> pid != agentPid)
        .forEach(pid -> Reaper.reap(Math.toIntExact(pid)));
  }

  /** Whether this survivor has gone at last. */
  static boolean gone(ProcessHandle survivor) {
    Reaper.reap(Math.toIntExact(survivor.pid()));
    return !survivor.isAlive();
  }

  private static int reapDead() {
    int reaped;
    do {
      reaped = Reaper.reap(Reaper.ANY_CHILD);
    } while (reaped > 0);
    return reaped;
  }
}
