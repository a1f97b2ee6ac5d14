package io.quarry.agent.service;

import java.util.HashSet;
import java.util.Set;

/**
 * Lets one thread at a time work under each name; threads with different names do not wait for each
 * other.
 */
final class KeyedLock {
  private final Set<String> taken = new HashSet<>();

  /**
   * Waits until no other thread has that name's turn; closing the turn lets the next thread have
   * it.
   */
  synchronized Turn take(String name) throws InterruptedException {
    while (!taken.add(name)) {
      wait();
    }
    return () -> end(name);
  }

  private synchronized void end(String name) {
    taken.remove(name);
    notifyAll();
  }

  /** The thread that has the turn must close it. */
  interface Turn extends AutoCloseable {
    @Override
    void close();
  }
}
