package io.quarry.agent.demo;

import org.jspecify.annotations.Nullable;

/** The demo did not show what it promises; the message says why. */
public final class DemoFailure extends Exception {
  private static final long serialVersionUID = 1L;

  private final @Nullable String remedy;

  DemoFailure(String message) {
    this(message, null);
  }

  /** It was asked for what it cannot do. */
  DemoFailure(String message, @Nullable String remedy) {
    super(message);
    this.remedy = remedy;
  }

  /** What to ask for instead; null when the demo itself went wrong. */
  public @Nullable String remedy() {
    return remedy;
  }
}
