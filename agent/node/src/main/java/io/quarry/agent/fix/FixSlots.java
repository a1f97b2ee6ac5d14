package io.quarry.agent.fix;

import io.quarry.coordinator.thread.Deadline;
import java.util.HashSet;
import java.util.Set;
import java.util.function.BooleanSupplier;

/**
 * The heavy fixes that this host is claiming or running; any thread may ask and wait for them. A
 * fix that a hanging storage has stuck takes no place, so that this host can work on other
 * storages. The stuck fix stays here until its thread returns, so that this host does not begin the
 * fix a second time.
 */
final class FixSlots {
  private final Set<String> keys = new HashSet<>();
  private final Set<String> stuck = new HashSet<>();

  /** False when the fix is taken already. */
  synchronized boolean add(String key) {
    return keys.add(key);
  }

  synchronized void remove(String key) {
    keys.remove(key);
    stuck.remove(key);
    notifyAll();
  }

  /** False when the fix is known to be stuck already, or is not taken. */
  synchronized boolean stick(String key) {
    return keys.contains(key) && stuck.add(key);
  }

  synchronized boolean isStuck(String key) {
    return stuck.contains(key);
  }

  /** The places that are in use. */
  synchronized int places() {
    return keys.size() - stuck.size();
  }

  synchronized boolean contains(String key) {
    return keys.contains(key);
  }

  synchronized int size() {
    return keys.size();
  }

  /** Each waiting thread checks again whether its wait is still wanted. */
  synchronized void wake() {
    notifyAll();
  }

  /**
   * Waits until no fix is taken, or as long as the wait is wanted.
   *
   * @return false when a fix was taken all the time
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
