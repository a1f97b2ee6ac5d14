package io.quarry.agent.fix;

/** The fix is no longer needed, or no longer ours: the worker lets go without a word. */
final class FixGoneException extends Exception {
  private static final long serialVersionUID = 1L;

  FixGoneException(String why) {
    super(why);
  }
}
