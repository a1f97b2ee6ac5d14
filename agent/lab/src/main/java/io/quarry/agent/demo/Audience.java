package io.quarry.agent.demo;

import io.quarry.common.model.Progress;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** Who watches the demo. Called from one thread at a time. */
public interface Audience {
  /**
   * Something happened that belongs into the timeline.
   *
   * @param at since the demo began
   */
  void event(Duration at, String text);

  /** What goes on right now; called often. */
  void progress(String headline, @Nullable Progress progress);
}
