package io.quarry.agent.demo;

/** The demo did not show what it promises; the message says why. */
public final class DemoFailure extends Exception {
  private static final long serialVersionUID = 1L;

  DemoFailure(String message) {
    super(message);
  }
}
