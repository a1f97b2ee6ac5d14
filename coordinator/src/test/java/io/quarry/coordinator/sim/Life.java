package io.quarry.coordinator.sim;

import java.util.Objects;
import java.util.function.BooleanSupplier;

/**
 * One life of a process that several actors belong to: when one of them dies, none of the others
 * does anything that could be seen any more.
 */
public final class Life {
  private boolean over;

  public boolean over() {
    return over;
  }

  /** Nothing of it does anything any more. */
  public void end() {
    over = true;
  }

  /** To be called by its actors before everything that others could see. */
  public void step(String what) {
    requireAlive();
    Baton.Actor actor = Baton.current();
    if (actor != null) {
      try {
        actor.step(what);
      } catch (Baton.Died e) {
        over = true;
        throw e;
      }
      requireAlive();
    }
  }

  /** Lets others go on until something has come about, or for some time. */
  public boolean await(BooleanSupplier ready, String what) {
    requireAlive();
    try {
      boolean come =
          Objects.requireNonNull(Baton.current()).await(() -> over || ready.getAsBoolean(), what);
      requireAlive();
      return come;
    } catch (Baton.Died e) {
      over = true;
      throw e;
    }
  }

  private void requireAlive() {
    if (over) {
      throw new Baton.Died();
    }
  }
}
