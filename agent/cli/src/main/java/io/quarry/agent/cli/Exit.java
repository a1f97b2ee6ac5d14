package io.quarry.agent.cli;

/** The exit codes, by which scripts decide. */
public final class Exit {
  public static final int DONE = 0;
  public static final int FAILED = 1;
  static final int BAD_USAGE = 2;

  /** The operation goes on. */
  static final int TIMED_OUT = 3;

  /** A check with {@code --exit-code} found something. */
  static final int FOUND = 4;

  private Exit() {}
}
