package io.quarry.agent.cli;

import io.quarry.common.api.StorageException;
import java.time.Duration;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Lets a waiting command survive a failover: agents that do not answer for a while do not end the
 * wait.
 */
final class Patience {
  private static final Duration SILENCE_MAX = Duration.ofSeconds(60);

  private final Shell.Time time;
  private long lastAnswer;

  Patience(Shell.Time time) {
    this.time = time;
    this.lastAnswer = time.nanos();
  }

  /** Null when no agent could answer. */
  <T> @Nullable T ask(Supplier<T> question) {
    try {
      T answer = question.get();
      lastAnswer = time.nanos();
      return answer;
    } catch (StorageException e) {
      if (!e.code().retryable() || time.nanos() - lastAnswer > SILENCE_MAX.toNanos()) {
        throw e;
      }
      return null;
    }
  }
}
