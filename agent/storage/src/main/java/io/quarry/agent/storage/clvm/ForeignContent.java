package io.quarry.agent.storage.clvm;

import io.quarry.agent.data.process.ToolOutput;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/**
 * Finds signatures of other formats on a device. {@code wipefs} lists all that Linux knows, and is
 * of util-linux, which agents need for each child; a table of our own would miss some. {@code
 * blkid} does not do: it calls a device that it cannot open empty.
 */
final class ForeignContent {
  private static final String PROGRAM = "wipefs";

  /** Without an option that says so, the program wipes nothing. */
  private static final List<String> LIST = List.of(PROGRAM, "--noheadings", "--output", "TYPE");

  private final HostTool tool;

  ForeignContent(HostTool tool) {
    this.tool = tool;
  }

  /** Refuses a device that holds what another program has written. */
  void requireNone(Path device, String name) throws IOException {
    List<String> found = find(device, name);
    if (!found.isEmpty()) {
      throw LvmFailure.unusable(
          name,
          name + " is not empty: it holds the signature of " + String.join(", ", found),
          "give another logical volume; or, if its content is not needed, run wipefs --all /dev/"
              + name);
    }
  }

  private List<String> find(Path device, String name) throws IOException {
    List<String> command = Stream.concat(LIST.stream(), Stream.of(device.toString())).toList();
    ToolOutput output = tool.run("util-linux", name, command);
    if (output.exitCode() != 0) {
      throw LvmFailure.unusable(
          name,
          PROGRAM + " does not say what " + name + " holds: " + output.stderrTail().strip(),
          "see this host's kernel log for errors of the disks below " + name);
    }
    return output.stdout().lines().map(String::strip).filter(type -> !type.isEmpty()).toList();
  }
}
