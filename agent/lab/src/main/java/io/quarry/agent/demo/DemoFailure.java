package io.quarry.agent.demo;

import org.jspecify.annotations.Nullable;

/** The demo did not show what it promises; the message says why. */
public final class DemoFailure extends Exception {
  private static final long serialVersionUID = 1L;

  private final @Nullable String remedy;

  DemoFailure(String message) {
    this(message, null);
  }

  /** The demo's options ask for something that the demo cannot do. */
  DemoFailure(String message, @Nullable String remedy) {
    super(message);
    this.remedy = remedy;
  }

  /** A request that the demo can fulfil; null when the demo itself went wrong. */
  public @Nullable String remedy() {
    return remedy;
  }
}
