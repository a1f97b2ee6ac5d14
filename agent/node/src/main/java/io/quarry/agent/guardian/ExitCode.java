package io.quarry.agent.guardian;

/** Exit codes that the agent and its guardian agree on. */
public final class ExitCode {
  /** The agent ended on purpose: the guardian does not start it again. */
  public static final int STOPPED = 0;

  /** The guardian itself failed. */
  public static final int FAILED = 1;

  /** The guardian's arguments are wrong. */
  public static final int USAGE = 2;

  /** The agent lost its guardian, and so the proof of its death. */
  public static final int GUARDIAN_LOST = 70;

  /**
   * The configuration, or a file of the agent's state directory, is wrong: starting again would not
   * help. EX_CONFIG of sysexits.h.
   */
  public static final int CONFIGURATION = 78;

  private ExitCode() {}
}
