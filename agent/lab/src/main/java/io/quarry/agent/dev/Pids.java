package io.quarry.agent.dev;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.locks.LockSupport;

/** Signals to processes that may have lost their parent. */
public final class Pids {
  private static final Duration POLL = Duration.ofMillis(2);
  private static final Duration DEATH_WAIT = Duration.ofSeconds(20);

  private Pids() {}

  /** Whether the process runs. A zombie does not: outside a normal init it may never be reaped. */
  static boolean runs(long pid) {
    try {
      String stat = Files.readString(Path.of("/proc", Long.toString(pid), "stat"));
      char state = stat.charAt(stat.lastIndexOf(')') + 2);
      return state != 'Z' && state != 'X';
    } catch (IOException gone) {
      return false;
    }
  }

  /** Sends SIGKILL and waits until the process no longer runs. */
  public static void kill(ProcessHandle process) {
    process.destroyForcibly();
    awaitEnd(process.pid());
  }

  static void awaitEnd(long pid) {
    long deadline = System.nanoTime() + DEATH_WAIT.toNanos();
    while (runs(pid)) {
      if (System.nanoTime() > deadline) {
        throw new IllegalStateException(
            "Process " + pid + " still runs " + DEATH_WAIT + " after it was told to end");
      }
      LockSupport.parkNanos(POLL.toNanos());
    }
  }

  /** Sends a signal that Java has no call for. */
  public static void signal(long pid, String name) throws IOException, InterruptedException {
    int exit = new ProcessBuilder("kill", "-" + name, Long.toString(pid)).start().waitFor();
    if (exit != 0) {
      throw new IOException("kill -" + name + " " + pid + " failed");
    }
  }

  /** Sends SIGCONT, if the process still runs. */
  public static void resume(long pid) throws IOException, InterruptedException {
    if (runs(pid)) {
      signal(pid, "CONT");
    }
  }
}
