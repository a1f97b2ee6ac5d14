package io.quarry.agent.demo;

import io.quarry.common.model.Progress;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** Receives the events of the demo. Called from one thread at a time. */
public interface Audience {
  /**
   * An event that belongs into the timeline.
   *
   * @param at since the demo began
   */
  void event(Duration at, String text);

  /** The current progress; called often. */
  void progress(String headline, @Nullable Progress progress);
}
