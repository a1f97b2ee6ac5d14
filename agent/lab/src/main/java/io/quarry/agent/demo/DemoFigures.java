package io.quarry.agent.demo;

import java.time.Duration;
import java.util.Locale;

/** Numbers in the demo's sentences. */
final class DemoFigures {
  private DemoFigures() {}

  static String mebibytes(long bytes) {
    return String.format(Locale.ROOT, "%,d MiB", bytes >> 20);
  }

  static String millis(Duration duration) {
    return duration.toMillis() < 10
        ? String.format(Locale.ROOT, "%.1f ms", duration.toNanos() / 1e6)
        : duration.toMillis() + " ms";
  }
}
