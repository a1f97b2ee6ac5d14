package io.quarry.agent.storage.clvm;

import io.quarry.agent.data.process.Children;
import io.quarry.agent.data.process.Spawner;
import io.quarry.agent.data.process.ToolFailure;
import io.quarry.agent.data.process.ToolOutput;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.StorageException;
import java.io.IOException;
import java.time.Duration;
import java.util.List;

/** A program of this host that the format needs. */
record HostTool(Children children, Duration deadline) {
  private static final int OUTPUT_BYTES_MAX = 64 << 10;
  private static final int NOT_FOUND = 127;

  /**
   * @param deadline after which the program is killed
   */
  HostTool(Spawner spawner, Duration deadline) {
    this(new Children(spawner, "volume groups"), deadline);
  }

  /**
   * Runs the program to its end, whatever its exit code.
   *
   * @param suite the package that the program belongs to
   * @param subject of a refusal
   */
  ToolOutput run(String suite, String subject, List<String> command) throws IOException {
    String program = command.getFirst();
    try {
      ToolOutput output = children.run(command, deadline, OUTPUT_BYTES_MAX);
      if (output.exitCode() == NOT_FOUND) {
        throw new StorageException(
            ErrorCode.REPOSITORY_UNUSABLE,
            "this host has no " + suite + ": the agent does not find the program " + program,
            subject,
            "install the package "
                + suite
                + ", or add the program's directory to the agent's PATH");
      }
      return output;
    } catch (ToolFailure e) {
      throw new StorageException(
          ErrorCode.REPOSITORY_UNRESPONSIVE,
          program + " gave no answer: " + e.getMessage(),
          subject,
          "run " + String.join(" ", command) + " on this host, and see what it waits for",
          e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new StorageException(
          ErrorCode.AGENT_UNAVAILABLE,
          "the agent stops",
          subject,
          "repeat the call, or ask another agent",
          e);
    }
  }
}
