package io.quarry.agent.fix;

import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** What this host leaves alone for a while, and for how long; thread-safe. */
final class Pauses {
  /** Nothing pauses: look again after the usual round. */
  private static final long NONE_MILLIS = Long.MAX_VALUE;

  private static final int DOUBLINGS_MAX = 10;

  private final Duration first;
  private final Duration longest;
  private final Map<String, Pause> pauses = new ConcurrentHashMap<>();

  private record Pause(long untilNanos, int troubles) {}

  Pauses(Duration first, Duration longest) {
    this.first = first;
    this.longest = longest;
  }

  boolean pausing(String key) {
    Pause pause = pauses.get(key);
    return pause != null && pause.untilNanos() - System.nanoTime() > 0;
  }

  void until(String key, Duration length) {
    pauses.put(key, new Pause(System.nanoTime() + length.toNanos(), 0));
  }

  void atLeast(String key, Duration length) {
    pauses.compute(
        key,
        (ignored, known) -> {
          long until = System.nanoTime() + length.toNanos();
          return known != null && known.untilNanos() - until > 0
              ? known
              : new Pause(until, known == null ? 0 : known.troubles());
        });
  }

  /** One more failure in a row: each pause is twice the one before. */
  void trouble(String key) {
    pauses.compute(
        key,
        (ignored, known) -> {
          int troubles = known == null ? 0 : known.troubles();
          Duration length = first.multipliedBy(1L << Math.min(troubles, DOUBLINGS_MAX));
          if (length.compareTo(longest) > 0) {
            length = longest;
          }
          return new Pause(System.nanoTime() + length.toNanos(), troubles + 1);
        });
  }

  void forget(String key) {
    pauses.remove(key);
  }

  /** When the next pause ends. */
  long millisToNext() {
    long now = System.nanoTime();
    return pauses.values().stream()
        .mapToLong(Pause::untilNanos)
        .map(until -> (until - now) / 1_000_000 + 1)
        .filter(millis -> millis > 0)
        .min()
        .orElse(NONE_MILLIS);
  }
}
