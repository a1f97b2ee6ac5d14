package io.quarry.agent.fix;

import io.quarry.coordinator.thread.Deadline;
import java.util.HashSet;
import java.util.Set;
import java.util.function.BooleanSupplier;

/**
 * Which heavy fixes this host is claiming or running, for any thread to ask and to wait for. One
 * that is stuck, because a storage hangs, takes no place: there is work for other storages. It
 * stays here until its thread is back, so that this host does not begin it once more beside it.
 */
final class FixSlots {
  private final Set<String> keys = new HashSet<>();
  private final Set<String> stuck = new HashSet<>();

  /** False when it is taken already. */
  synchronized boolean add(String key) {
    return keys.add(key);
  }

  synchronized void remove(String key) {
    keys.remove(key);
    stuck.remove(key);
    notifyAll();
  }

  /** False when it is known to be stuck already, or not taken. */
  synchronized boolean stick(String key) {
    return keys.contains(key) && stuck.add(key);
  }

  synchronized boolean isStuck(String key) {
    return stuck.contains(key);
  }

  /** Places that are in use. */
  synchronized int places() {
    return keys.size() - stuck.size();
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
    Deadline until = Deadline.afterMillis(millis);
    while (wanted.getAsBoolean() && !keys.isEmpty()) {
      if (!until.awaitOn(this)) {
        return false;
      }
    }
    return true;
  }
}
