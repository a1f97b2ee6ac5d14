package io.quarry.agent.fix;

import java.util.HashSet;
import java.util.Set;
import java.util.function.BooleanSupplier;

/** Which heavy fixes this host is claiming or running, for any thread to ask and to wait for. */
final class Taken {
  private final Set<String> keys = new HashSet<>();

  /** False when it is taken already. */
  synchronized boolean add(String key) {
    return keys.add(key);
  }

  synchronized void remove(String key) {
    keys.remove(key);
    notifyAll();
  }

  synchronized boolean contains(String key) {
    return keys.contains(key);
  }

  synchronized int size() {
    return keys.size();
  }

  /** Whoever waits looks again whether that is still wanted. */
  synchronized void wake() {
    notifyAll();
  }

  /**
   * Waits until nothing is taken, or as long as that is wanted.
   *
   * @return false when there was something taken all the time
   */
  synchronized boolean awaitNone(BooleanSupplier wanted, long millis) throws InterruptedException {
    long until = System.nanoTime() + millis * 1_000_000;
    while (wanted.getAsBoolean() && !keys.isEmpty()) {
      long left = until - System.nanoTime();
      if (left <= 0) {
        return false;
      }
      wait(1 + left / 1_000_000);
    }
    return true;
  }
}
