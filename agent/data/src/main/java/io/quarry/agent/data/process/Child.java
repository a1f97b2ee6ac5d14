package io.quarry.agent.data.process;

import io.quarry.agent.data.process.Capture.Keep;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/** One tool, running or ended. */
public final class Child {
  /** Enough for a tool's last error messages. */
  static final int STDERR_BYTES_MAX = 8 << 10;

  private static final Duration LAST_WORDS_DEADLINE = Duration.ofSeconds(1);

  private final List<String> command;
  private final Process process;
  private final Capture stdout;
  private final Capture stderr;

  Child(List<String> command, Process process, int stdoutBytesMax) {
    this.command = List.copyOf(command);
    this.process = process;
    String name = command.getFirst() + "-" + process.pid();
    this.stdout =
        new Capture(
            name + "-out", process.getInputStream(), stdoutBytesMax, Keep.START, this::kill);
    this.stderr =
        new Capture(name + "-err", process.getErrorStream(), STDERR_BYTES_MAX, Keep.TAIL, () -> {});
  }

  public List<String> command() {
    return command;
  }

  public long pid() {
    return process.pid();
  }

  public boolean isAlive() {
    return process.isAlive();
  }

  /** The child's last words on its standard error. */
  public String stderr() {
    return stderr.text().strip();
  }

  Capture stdout() {
    return stdout;
  }

  /** Completes when the process is gone. */
  public CompletableFuture<Child> onExit() {
    return process.onExit().thenApply(ended -> this);
  }

  /**
   * Kills the child and all processes that it started. The processes may still exist when this
   * method returns.
   */
  public void kill() {
    process.descendants().forEach(ProcessHandle::destroyForcibly);
    var _ = process.destroyForcibly();
  }

  /** Waits until the process is gone; false when it still exists at the deadline. */
  public boolean awaitExit(Duration deadline) throws InterruptedException {
    return process.waitFor(deadline.toNanos(), TimeUnit.NANOSECONDS);
  }

  /** Waits for the rest of the output of an ended process. */
  void awaitOutput(Duration deadline) throws InterruptedException {
    stdout.await(deadline.toMillis());
    stderr.await(deadline.toMillis());
  }

  /** The failure of a child, with its exit code and last words if it has ended. */
  public ToolFailure failure(String why) {
    if (process.isAlive()) {
      return new ToolFailure(command, null, stderr(), why);
    }
    try {
      stderr.await(LAST_WORDS_DEADLINE.toMillis());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    return new ToolFailure(command, process.exitValue(), stderr(), why);
  }

  int exitCode() {
    return process.exitValue();
  }

  @Override
  public String toString() {
    return command.getFirst() + " (pid " + pid() + ")";
  }
}
