package io.quarry.coordinator.sdm;

import java.util.function.Consumer;
import java.util.function.Predicate;

/** Holds threads at steps of the storage until it is opened. */
final class Gate implements Consumer<String> {
  private Predicate<String> held = step -> false;
  private int waiting;

  /** Whoever is held and not meant any more goes on. */
  synchronized void hold(Predicate<String> steps) {
    held = steps;
    notifyAll();
  }

  synchronized void open() {
    held = step -> false;
    notifyAll();
  }

  synchronized boolean holdsSomebody() {
    return waiting > 0;
  }

  @Override
  public synchronized void accept(String step) {
    while (held.test(step)) {
      waiting++;
      try {
        wait();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return;
      } finally {
        waiting--;
      }
    }
  }
}
