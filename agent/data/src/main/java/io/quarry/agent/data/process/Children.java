package io.quarry.agent.data.process;

import io.quarry.coordinator.thread.Deadline;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;

/**
 * The children that work for one owner, for example one claim. All children are direct ones,
 * started through {@code setpriv --pdeathsig KILL}, so that they die with the agent. After {@link
 * #stopAll} no child is left and none can be started, as a worker requires before it releases its
 * claim.
 */
public final class Children {
  /** No tool that this project runs prints more. */
  public static final int STDOUT_BYTES_MAX = 64 << 20;

  /** How long a killed process may exist before it is reported as stuck in the kernel. */
  private static final Duration KILL_DEADLINE = Duration.ofSeconds(10);

  private static final Duration OUTPUT_DEADLINE = Duration.ofSeconds(5);

  private final Spawner spawner;
  private final String owner;
  private final ReentrantLock lock = new ReentrantLock();
  private final Set<Child> running = new LinkedHashSet<>();
  private boolean stopped;

  public Children(Spawner spawner, String owner) {
    this.spawner = spawner;
    this.owner = owner;
  }

  /** Starts a tool that runs on its own, for example a server. */
  public Child start(List<String> command) throws IOException {
    return start(command, STDOUT_BYTES_MAX);
  }

  /** Runs a tool to its end, whatever its exit code. */
  public ToolOutput run(List<String> command, Duration deadline)
      throws IOException, InterruptedException {
    return run(command, deadline, STDOUT_BYTES_MAX);
  }

  /**
   * Runs a tool to its end, whatever its exit code. The tool is killed when it misses the deadline,
   * prints more than the limit, or its waiting thread is interrupted. A killed tool is gone when
   * this method throws.
   */
  public ToolOutput run(List<String> command, Duration deadline, int stdoutBytesMax)
      throws IOException, InterruptedException {
    Child child = start(command, stdoutBytesMax);
    try {
      if (!child.awaitExit(deadline)) {
        throw child.failure("no end within " + deadline);
      }
      child.awaitOutput(OUTPUT_DEADLINE);
      if (child.stdout().overflowed()) {
        throw child.failure("more than " + stdoutBytesMax + " bytes of output");
      }
      return new ToolOutput(command, child.exitCode(), child.stdout().text(), child.stderr());
    } finally {
      if (child.isAlive()) {
        child.kill();
        awaitGone(child);
      }
    }
  }

  /**
   * Kills all children, waits until they are gone, and forbids new ones.
   *
   * @throws IOException if a child still exists at the deadline; its writes may still come
   */
  public void stopAll(Duration deadline) throws IOException, InterruptedException {
    List<Child> left;
    lock.lock();
    try {
      stopped = true;
      left = List.copyOf(running);
    } finally {
      lock.unlock();
    }
    left.forEach(Child::kill);
    Deadline end = Deadline.after(deadline);
    List<Child> survivors = new ArrayList<>();
    for (Child child : left) {
      if (!child.awaitExit(end.remaining())) {
        survivors.add(child);
      }
    }
    if (!survivors.isEmpty()) {
      throw new IOException(owner + ": not gone within " + deadline + ": " + survivors);
    }
  }

  private Child start(List<String> command, int stdoutBytesMax) throws IOException {
    // Held while the child starts: stopAll either sees the child, or the child is not started.
    lock.lock();
    try {
      if (stopped) {
        throw new IOException(owner + ": stopped, " + command.getFirst() + " is not started");
      }
      Process process = spawner.start(command);
      Child child = new Child(command, process, stdoutBytesMax);
      process.getOutputStream().close();
      running.add(child);
      var _ = child.onExit().thenAccept(this::forget);
      return child;
    } finally {
      lock.unlock();
    }
  }

  private void forget(Child child) {
    lock.lock();
    try {
      running.remove(child);
    } finally {
      lock.unlock();
    }
  }

  /** Waits for a killed child's death even when the thread is interrupted. */
  private static void awaitGone(Child child) throws IOException {
    boolean interrupted = false;
    Deadline end = Deadline.after(KILL_DEADLINE);
    try {
      while (child.isAlive()) {
        try {
          if (!child.awaitExit(end.remaining())) {
            throw child.failure("killed, and not gone within " + KILL_DEADLINE);
          }
        } catch (InterruptedException e) {
          interrupted = true;
        }
      }
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }
}
