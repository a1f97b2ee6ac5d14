package io.quarry.agent.guardian;

import java.time.Duration;

/**
 * How long the guardian waits before it starts the agent again: twice as long after each early
 * death.
 */
final class RestartPauses {
  static final Duration PAUSE_MIN = Duration.ofSeconds(1);
  static final Duration PAUSE_MAX = Duration.ofSeconds(30);

  /** An agent that lived this long was healthy: the next pause is the shortest again. */
  static final Duration HEALTHY_AFTER = Duration.ofMinutes(1);

  private final Duration longest;
  private Duration next;

  RestartPauses(Duration longest) {
    this.longest = longest;
    this.next = shortest();
  }

  Duration after(Duration lived) {
    if (lived.compareTo(HEALTHY_AFTER) >= 0) {
      next = shortest();
    }
    Duration pause = next;
    Duration doubled = pause.multipliedBy(2);
    next = doubled.compareTo(longest) > 0 ? longest : doubled;
    return pause;
  }

  private Duration shortest() {
    return PAUSE_MIN.compareTo(longest) < 0 ? PAUSE_MIN : longest;
  }
}
