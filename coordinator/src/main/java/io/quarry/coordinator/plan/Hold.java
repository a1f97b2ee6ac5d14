package io.quarry.coordinator.plan;

import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Why no host may take a fix, as the log records it. The words for callers are made here alone. */
public sealed interface Hold {
  record Unrequested() implements Hold {}

  record Stopped(String how) implements Hold {}

  record Parked(int failures, @Nullable String lastError) implements Hold {}

  record Paused(Instant since) implements Hold {}

  /** Null when a host may take the fix, now or at a time that the log names. */
  static @Nullable Hold of(FixState fix) {
    if (fix.parked()) {
      return new Parked(fix.failures(), fix.lastError());
    }
    if (fix.paused()) {
      return new Paused(Objects.requireNonNull(fix.pausedSince()));
    }
    if (fix.wanted()) {
      return null;
    }
    return fix.lastError() == null ? new Unrequested() : new Stopped(fix.lastError());
  }

  /** Follows the name of the fix. */
  default String text() {
    return switch (this) {
      case Unrequested() -> "is not requested";
      case Stopped(String how) -> "was " + how;
      case Parked(int failures, String lastError) -> "failed " + failures + " times and is parked";
      case Paused(Instant since) -> "is paused";
    };
  }

  /** The text, what else the log knows, and what to do. */
  default String detail() {
    return text()
        + switch (this) {
          case Unrequested() ->
              "; run `quarry fix REPO --all`, or take its command from `quarry check REPO`";
          case Stopped(String how) -> "; a later fix goes on from the checkpoint";
          case Parked(int failures, String lastError) -> ", the last time with: " + lastError;
          case Paused(Instant since) ->
              " since " + since.truncatedTo(ChronoUnit.SECONDS) + "; resume it";
        };
  }
}
