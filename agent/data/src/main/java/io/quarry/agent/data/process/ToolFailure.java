package io.quarry.agent.data.process;

import java.io.IOException;
import java.util.List;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/** An external tool did not do what it was asked to do. */
public final class ToolFailure extends IOException {
  /** Java adds this to a signal's number, as shells do. */
  private static final int SIGNALLED = 128;

  private static final int SIGXCPU = 24;

  private final List<String> command;
  private final @Nullable Integer exitCode;
  private final String stderrTail;

  ToolFailure(List<String> command, @Nullable Integer exitCode, String stderrTail, String why) {
    super(
        String.join(" ", command)
            + ": "
            + why
            + (signal(exitCode) == 0 ? "" : " (killed by signal " + signal(exitCode) + ")")
            + (stderrTail.isEmpty() ? "" : ": " + stderrTail.replace('\n', ' ')));
    this.command = List.copyOf(command);
    this.exitCode = exitCode;
    this.stderrTail = stderrTail;
  }

  public List<String> command() {
    return command;
  }

  /** Empty if the tool did not end by itself. A tool that cannot be executed ends with 127. */
  public OptionalInt exitCode() {
    return exitCode == null ? OptionalInt.empty() : OptionalInt.of(exitCode);
  }

  /**
   * Whether the tool was killed: by a person, for lack of memory, or by a defect of its own. A
   * killed tool gives no verdict on its file. A tool that reached its limit of processor time does
   * not count as killed.
   */
  public boolean killed() {
    int signal = signal(exitCode);
    return signal != 0 && signal != SIGXCPU;
  }

  /** 0 for a tool that ended by itself. */
  private static int signal(@Nullable Integer exitCode) {
    return exitCode == null ? 0 : Math.max(0, exitCode - SIGNALLED);
  }

  public String stderrTail() {
    return stderrTail;
  }
}
