package io.quarry.agent.fix;

/**
 * The fix is no longer needed, or another worker has it. The worker stops and reports no failure.
 */
final class FixGoneException extends Exception {
  private static final long serialVersionUID = 1L;

  FixGoneException(String why) {
    super(why);
  }
}
