package io.quarry.coordinator.sim;

import java.util.Objects;
import java.util.function.BooleanSupplier;

/**
 * One life of a process with several actors. When one of them dies, no other one does anything
 * visible any more.
 */
public final class Life {
  private static final int STOPPED_STEPS_MAX = 3_000;

  private boolean over;
  private boolean stopped;

  public boolean over() {
    return over;
  }

  /** Ends the life: its actors do nothing more. */
  public void end() {
    over = true;
  }

  /** Stops the life's actors until they are continued, or for long. */
  public void stop() {
    stopped = true;
  }

  public void goOn() {
    stopped = false;
  }

  /** The life's actors call this before each operation that other lives could see. */
  public void step(String what) {
    requireAlive();
    Baton.Actor actor = Baton.current();
    if (actor != null) {
      try {
        actor.step(what);
        awaitContinuation(actor);
      } catch (Baton.Died e) {
        over = true;
        throw e;
      }
      requireAlive();
    }
  }

  /** Lets other actors go on until the condition holds, or for some time. */
  public boolean await(BooleanSupplier ready, String what) {
    return await(ready, Baton.PATIENCE_STEPS_MAX, what);
  }

  /**
   * @param stepsMax how many steps of other actors the wait lasts at most
   */
  public boolean await(BooleanSupplier ready, int stepsMax, String what) {
    requireAlive();
    Baton.Actor actor = Objects.requireNonNull(Baton.current());
    try {
      boolean come = actor.await(() -> over || ready.getAsBoolean(), stepsMax, what);
      awaitContinuation(actor);
      requireAlive();
      return come;
    } catch (Baton.Died e) {
      over = true;
      throw e;
    }
  }

  private void awaitContinuation(Baton.Actor actor) {
    if (stopped) {
      var _ = actor.await(() -> over || !stopped, STOPPED_STEPS_MAX, "is stopped");
      stopped = false;
    }
  }

  private void requireAlive() {
    if (over) {
      throw new Baton.Died();
    }
  }
}
