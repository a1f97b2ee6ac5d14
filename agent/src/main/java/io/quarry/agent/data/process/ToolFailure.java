package io.quarry.agent.data.process;

import java.io.IOException;
import java.util.List;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/** An external tool did not do what it was asked to do. */
public final class ToolFailure extends IOException {
  private final List<String> command;
  private final @Nullable Integer exitCode;
  private final String stderrTail;

  ToolFailure(List<String> command, @Nullable Integer exitCode, String stderrTail, String why) {
    super(
        String.join(" ", command)
            + ": "
            + why
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

  public String stderrTail() {
    return stderrTail;
  }
}
