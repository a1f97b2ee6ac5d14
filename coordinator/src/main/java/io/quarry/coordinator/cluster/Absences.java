package io.quarry.coordinator.cluster;

import java.time.Duration;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

/**
 * Remembers since when incarnations have been gone. An incarnation that was never seen counts from
 * the last load.
 */
final class Absences {
  private static final int REMEMBERED_MAX = 1_000;

  private final Map<String, Long> leftAtNanos = new LinkedHashMap<>();
  private Set<String> present = Set.of();
  private long loadedAtNanos = System.nanoTime();

  synchronized void note(long loadedAt, Collection<String> incarnations) {
    long now = System.nanoTime();
    Set<String> fresh = new HashSet<>(incarnations);
    for (String incarnation : present) {
      if (!fresh.contains(incarnation)) {
        leftAtNanos.put(incarnation, now);
      }
    }
    leftAtNanos.keySet().removeAll(fresh);
    while (leftAtNanos.size() > REMEMBERED_MAX) {
      leftAtNanos.remove(leftAtNanos.keySet().iterator().next());
    }
    present = fresh;
    loadedAtNanos = loadedAt;
  }

  synchronized Duration absentFor(String incarnation) {
    if (present.contains(incarnation)) {
      return Duration.ZERO;
    }
    long now = System.nanoTime();
    long left = leftAtNanos.getOrDefault(incarnation, loadedAtNanos);
    return Duration.ofNanos(Math.min(now - left, now - loadedAtNanos));
  }
}
