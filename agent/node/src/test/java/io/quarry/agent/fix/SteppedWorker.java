package io.quarry.agent.fix;

import java.time.Duration;
import java.util.concurrent.Semaphore;

/**
 * A worker that waits at each place where a real one could die, until the test lets it continue or
 * die there. The worker has a thread of its own, but never runs at the same time as the test.
 */
final class SteppedWorker {
  private static final ThreadLocal<SteppedWorker> CURRENT = new ThreadLocal<>();
  private static final Duration CHILDREN_GONE = Duration.ofSeconds(20);

  /** Not an exception, so that no handler of the worker catches it. */
  private static final class Death extends Error {
    private static final long serialVersionUID = 1L;

    Death(String place) {
      super(place, null, false, false);
    }
  }

  private final RunningFix run;
  private final Semaphore turn = new Semaphore(0);
  private final Semaphore waits = new Semaphore(0);
  private volatile boolean dies;
  private volatile boolean over;
  private volatile String place = "its beginning";

  SteppedWorker(RunningFix run) {
    this.run = run;
    Thread.ofPlatform().name("stepped-" + run.taskId()).daemon(true).start(this::work);
  }

  RunningFix run() {
    return run;
  }

  /** The place where the worker waits. */
  String place() {
    return place;
  }

  boolean over() {
    return over;
  }

  /** Lets the worker run to the next place. */
  void goOn() throws InterruptedException {
    turn.release();
    waits.acquire();
  }

  void goOnToTheEnd() throws InterruptedException {
    while (!over) {
      goOn();
    }
  }

  /** Ends the worker and its tools, as a crash of its host's agent would. */
  void die() throws Exception {
    dies = true;
    if (!over) {
      goOn();
    }
    run.children().stopAll(CHILDREN_GONE);
  }

  /** Called for each place that a thread of this process reaches. */
  static void reached(String where) {
    SteppedWorker worker = CURRENT.get();
    if (worker != null) {
      worker.stop(where);
    }
  }

  private void stop(String where) {
    place = where;
    waits.release();
    turn.acquireUninterruptibly();
    if (dies) {
      throw new Death(where);
    }
  }

  private void work() {
    CURRENT.set(this);
    turn.acquireUninterruptibly();
    try {
      if (!dies) {
        FixExecution.run(run);
      }
    } catch (Death death) {
      // The death was intended.
    } finally {
      over = true;
      waits.release();
    }
  }
}
