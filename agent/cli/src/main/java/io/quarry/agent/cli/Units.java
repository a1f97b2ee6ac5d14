package io.quarry.agent.cli;

import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Numbers as text for users. */
public final class Units {
  private static final String[] BINARY = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};

  private Units() {}

  /**
   * At most three digits where they are precise enough; empty for a negative number, which means
   * unknown.
   */
  public static String bytes(long bytes) {
    if (bytes < 0) {
      return "";
    }
    int unit = 0;
    double value = bytes;
    while (value >= 1024 && unit < BINARY.length - 1) {
      value /= 1024;
      unit++;
    }
    boolean whole = unit == 0 || value >= 100 || value == Math.rint(value);
    return String.format(Locale.ROOT, whole ? "%.0f %s" : "%.1f %s", value, BINARY[unit]);
  }

  static String rate(long bytesPerSecond) {
    return bytesPerSecond < 0 ? "" : bytes(bytesPerSecond) + "/s";
  }

  /** For example {@code 0:07}, {@code 12:30} or {@code 1:00:05}. */
  static String clock(Duration duration) {
    long seconds = duration.toSeconds();
    return seconds < 3600
        ? String.format(Locale.ROOT, "%d:%02d", seconds / 60, seconds % 60)
        : String.format(
            Locale.ROOT, "%d:%02d:%02d", seconds / 3600, seconds / 60 % 60, seconds % 60);
  }

  static String time(@Nullable Instant instant) {
    return instant == null ? "" : instant.truncatedTo(ChronoUnit.SECONDS).toString();
  }

  static String percent(int percent) {
    return percent < 0 ? "" : percent + " %";
  }

  public static String count(int number, String one, String many) {
    return number + " " + (number == 1 ? one : many);
  }
}
