package io.quarry.agent.service;

import java.util.HashSet;
import java.util.Set;

/** One at a time for each name; those with different names do not wait for each other. */
final class KeyedLock {
  private final Set<String> taken = new HashSet<>();

  /** Waits until nobody else has that name's turn; closing it lets the next one have it. */
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

  /** To be closed by whoever has it. */
  interface Turn extends AutoCloseable {
    @Override
    void close();
  }
}
