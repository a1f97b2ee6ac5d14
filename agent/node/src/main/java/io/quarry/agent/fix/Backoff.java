package io.quarry.agent.fix;

import io.quarry.coordinator.thread.Deadline;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** The keys that this host leaves alone for a while, and for how long; thread-safe. */
final class Backoff {
  /** Returned when nothing pauses; the regular round comes before that hour ends. */
  private static final Duration NONE = Duration.ofHours(1);

  private static final int DOUBLINGS_MAX = 10;

  private final Duration first;
  private final Duration longest;
  private final Map<String, Pause> pauses = new ConcurrentHashMap<>();

  private record Pause(Deadline until, int troubles) {}

  Backoff(Duration first, Duration longest) {
    this.first = first;
    this.longest = longest;
  }

  boolean pausing(String key) {
    Pause pause = pauses.get(key);
    return pause != null && !pause.until().passed();
  }

  /** Whether the key had trouble, and was not forgotten since. */
  boolean troubled(String key) {
    Pause pause = pauses.get(key);
    return pause != null && pause.troubles() > 0;
  }

  void until(String key, Duration length) {
    pauses.put(key, new Pause(Deadline.after(length), 0));
  }

  void atLeast(String key, Duration length) {
    pauses.compute(
        key,
        (ignored, known) -> {
          Deadline until = Deadline.after(length);
          return known != null && until.isBefore(known.until())
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
          return new Pause(Deadline.after(length), troubles + 1);
        });
  }

  void forget(String key) {
    pauses.remove(key);
  }

  /** How long it is until the next pause ends. */
  Duration toNext() {
    return pauses.values().stream()
        .map(pause -> pause.until().remaining())
        .filter(Duration::isPositive)
        .min(Duration::compareTo)
        .orElse(NONE);
  }
}
