package io.quarry.agent.fix;

/** Lets one thread wait for a reason to look, which any thread may give. */
final class Waker {
  private boolean woken;
  private boolean closed;

  synchronized void wake() {
    woken = true;
    notifyAll();
  }

  synchronized void close() {
    closed = true;
    notifyAll();
  }

  /** Waits until woken, but no longer than that; false when closed. */
  synchronized boolean await(long millis) {
    try {
      long until = System.nanoTime() + millis * 1_000_000;
      while (!woken && !closed && until - System.nanoTime() > 0) {
        wait(1 + (until - System.nanoTime()) / 1_000_000);
      }
    } catch (InterruptedException e) {
      return false;
    }
    woken = false;
    return !closed;
  }
}
