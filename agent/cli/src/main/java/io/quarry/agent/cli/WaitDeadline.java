package io.quarry.agent.cli;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** How long a command may still wait. */
final class WaitDeadline {
  private final Shell.Time time;
  private final long end;
  private final boolean never;

  WaitDeadline(Shell.Time time, @Nullable Duration timeout) {
    this.time = time;
    this.never = timeout == null;
    this.end = time.nanos() + (timeout == null ? 0 : timeout.toNanos());
  }

  boolean passed() {
    return !never && time.nanos() - end >= 0;
  }

  /** At most {@code step}, and not past the deadline. */
  Duration next(Duration step) {
    if (never) {
      return step;
    }
    Duration left = Duration.ofNanos(Math.max(0, end - time.nanos()));
    return left.compareTo(step) < 0 ? left : step;
  }
}
