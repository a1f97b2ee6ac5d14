package io.quarry.coordinator.thread;

import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One named thread that runs a step when woken, and at the latest a period after the last step
 * ended. Wake-ups are coalesced: callbacks wake, the loop acts at its own pace. A step that throws
 * anything is counted and tried again after a pause; only {@link #close} ends the loop. A platform
 * thread, so that work which pins virtual threads elsewhere cannot delay it. The thread is never
 * interrupted, since a step may be in the middle of a write.
 */
public final class Loop implements AutoCloseable {
  /** A step may throw: the loop tries it again. A step catches exceptions that are no failure. */
  public interface Step {
    void run() throws Exception;
  }

  private static final Duration CLOSE_DEADLINE = Duration.ofSeconds(10);
  private static final Logger LOG = LoggerFactory.getLogger(Loop.class);

  private final String name;
  private final Duration period;
  private final Step step;

  // Guarded by this; signalled at each change.
  private Deadline due = Deadline.after(Duration.ZERO);
  private Deadline notBefore = due;
  private boolean closed;
  private @Nullable Thread thread;

  /**
   * @param name of the loop's thread
   */
  public Loop(String name, Duration period, Step step) {
    this.name = name;
    this.period = period;
    this.step = step;
  }

  /** Runs the step for the first time at once. */
  public synchronized void start(Supervisor supervisor) {
    if (!closed && thread == null) {
      Tally tally = supervisor.tally(name);
      thread = supervisor.start(name, () -> run(supervisor, tally));
    }
  }

  public void wake() {
    wakeWithin(Duration.ZERO);
  }

  /** Runs the step no later than this from now. */
  public synchronized void wakeWithin(Duration delay) {
    Deadline wanted = Deadline.after(delay);
    if (wanted.isBefore(due)) {
      due = wanted;
      notifyAll();
    }
  }

  public synchronized boolean closed() {
    return closed;
  }

  /** No further step begins. A running step goes on: it may wait for a storage that hangs. */
  @Override
  public synchronized void close() {
    closed = true;
    notifyAll();
  }

  /** Lets a running step finish, and waits for it unless the step itself closes the loop. */
  public void closeAndWait() {
    close();
    Thread running;
    synchronized (this) {
      running = thread;
    }
    if (running == null || running == Thread.currentThread()) {
      return;
    }
    try {
      if (!running.join(CLOSE_DEADLINE)) {
        LOG.warn("{} is still busy", name);
      }
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private void run(Supervisor supervisor, Tally tally) {
    while (awaitTurn()) {
      Duration pause = supervisor.run(tally, step);
      stepped(pause);
    }
  }

  /** A wake-up during the step is due at once, but after a failure only once the pause is over. */
  private synchronized void stepped(Duration pause) {
    wakeWithin(pause.isZero() ? period : pause);
    notBefore = Deadline.after(pause);
  }

  private synchronized boolean awaitTurn() {
    while (!closed) {
      Deadline next = due.isBefore(notBefore) ? notBefore : due;
      try {
        if (!next.awaitOn(this)) {
          due = Deadline.NEVER;
          return true;
        }
      } catch (InterruptedException interrupted) {
        LOG.warn("{} was interrupted and goes on", name);
      }
    }
    return false;
  }
}
