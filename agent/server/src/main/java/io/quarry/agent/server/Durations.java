package io.quarry.agent.server;

import io.quarry.common.api.StorageException;
import java.time.Duration;
import java.time.format.DateTimeParseException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Durations as callers write them: {@code 30s}, {@code 500ms}, {@code 2m}, or ISO 8601. */
final class Durations {
  private static final Pattern SHORT = Pattern.compile("([0-9]{1,6})(ms|s|m)");

  private Durations() {}

  static Duration parse(String text, String name) {
    Matcher matcher = SHORT.matcher(text);
    if (matcher.matches()) {
      long number = Long.parseLong(matcher.group(1));
      return switch (matcher.group(2)) {
        case "ms" -> Duration.ofMillis(number);
        case "s" -> Duration.ofSeconds(number);
        default -> Duration.ofMinutes(number);
      };
    }
    try {
      Duration duration = Duration.parse(text);
      if (!duration.isNegative()) {
        return duration;
      }
    } catch (DateTimeParseException | ArithmeticException e) {
      // The refusal below covers this case, too.
    }
    throw StorageException.invalid(
        name,
        name + " is \"" + SchemaCheck.shortened(text) + "\" and must be a duration.",
        "Write " + name + " as ISO 8601, for example PT30S.");
  }
}
