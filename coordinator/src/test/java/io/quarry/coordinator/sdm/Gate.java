package io.quarry.coordinator.sdm;

import java.util.function.Consumer;
import java.util.function.Predicate;

/** Holds threads at steps of the storage until a test opens the gate. */
final class Gate implements Consumer<String> {
  private Predicate<String> held = step -> false;
  private int waiting;

  /** Also releases threads at steps that no longer match. */
  synchronized void hold(Predicate<String> steps) {
    held = steps;
    notifyAll();
  }

  synchronized void open() {
    held = step -> false;
    notifyAll();
  }

  synchronized boolean holdsAThread() {
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
