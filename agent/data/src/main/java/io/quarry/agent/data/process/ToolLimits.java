package io.quarry.agent.data.process;

import java.time.Duration;
import java.util.List;

/**
 * What a tool may use that reads what comes from outside. It may write no byte into a file: its
 * answer is what it prints.
 *
 * @param cpu processor time, after which the kernel ends it with a signal of its own: SIGXCPU
 * @param addressSpaceBytes after which it gets no memory
 */
public record ToolLimits(Duration cpu, long addressSpaceBytes) {
  private static final long ADDRESS_SPACE_BYTES = 1L << 30;
  private static final int OPEN_FILES_MAX = 256;

  /** At the hard limit it is a SIGKILL, as from anybody. */
  private static final int HARD_AFTER_SECONDS = 5;

  /** For a look at the metadata of an image. */
  public static final ToolLimits INSPECTION = cpu(Duration.ofSeconds(30));

  public static ToolLimits cpu(Duration time) {
    return new ToolLimits(time, ADDRESS_SPACE_BYTES);
  }

  /** What to put before the tool's command. */
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
