package io.quarry.agent.data.process;

import java.util.List;

/** The output of a tool that ended by itself. */
public record ToolOutput(List<String> command, int exitCode, String stdout, String stderrTail) {
  /** Returns itself if the tool succeeded. */
  public ToolOutput orFail() throws ToolFailure {
    if (exitCode != 0) {
      throw failure("exit code " + exitCode);
    }
    return this;
  }

  public ToolFailure failure(String why) {
    return new ToolFailure(command, exitCode, stderrTail, why);
  }
}
