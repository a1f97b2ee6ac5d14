package io.quarry.agent;

import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;

/** Runs an action when an agent in this process first reaches a fault point. */
public final class AtPlace implements Consumer<String> {
  private final String place;
  private final Runnable what;
  private final AtomicBoolean done = new AtomicBoolean();

  public AtPlace(String place, Runnable what) {
    this.place = place;
    this.what = what;
  }

  public boolean done() {
    return done.get();
  }

  @Override
  public void accept(String reached) {
    if (reached.equals(place) && done.compareAndSet(false, true)) {
      what.run();
    }
  }
}
