package io.quarry.agent.data.process;

import java.time.Duration;
import java.util.List;

/**
 * The limits of a tool that reads files from outside. The tool may write no byte into a file: its
 * answer is what it prints.
 *
 * @param cpu processor time, after which the kernel ends the tool with the signal SIGXCPU
 * @param addressSpaceBytes the most memory that the tool gets
 */
public record ToolLimits(Duration cpu, long addressSpaceBytes) {
  private static final long ADDRESS_SPACE_BYTES = 1L << 30;
  private static final int OPEN_FILES_MAX = 256;

  /** At the hard limit the kernel sends SIGKILL, which looks like any other kill. */
  private static final int HARD_AFTER_SECONDS = 5;

  /** For a look at the metadata of an image. */
  public static final ToolLimits INSPECTION = cpu(Duration.ofSeconds(30));

  public static ToolLimits cpu(Duration time) {
    return new ToolLimits(time, ADDRESS_SPACE_BYTES);
  }

  /** The words to put before the tool's command. */
  public List<String> prefix() {
    return List.of(
        "prlimit",
        "--cpu="
            + Math.max(1, cpu.toSeconds())
            + ":"
            + (Math.max(1, cpu.toSeconds()) + HARD_AFTER_SECONDS),
        "--as=" + addressSpaceBytes,
        "--fsize=0",
        "--core=0",
        "--nofile=" + OPEN_FILES_MAX,
        "--");
  }
}
