package io.quarry.agent.storage.clvm;

import io.quarry.agent.data.process.ToolOutput;
import io.quarry.common.api.StorageException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * Finds signatures of other formats on a device. {@code blkid} knows all that Linux knows, and is
 * of util-linux, which agents need for each child; a table of our own would miss some.
 */
final class ForeignContent {
  private static final int NOTHING = 2;
  private static final int SEVERAL = 8;

  private static final List<String> NAMES = List.of("TYPE=", "PTTYPE=");

  private final HostTool blkid;

  ForeignContent(HostTool blkid) {
    this.blkid = blkid;
  }

  /** Refuses a device that holds what another program has written. */
  void requireNone(Path device, String name) throws IOException {
    Optional<String> found = find(device, name);
    if (found.isPresent()) {
      throw LvmFailure.unusable(
          name,
          name + " is not empty: it holds " + found.get(),
          "give another logical volume; or, if its content is not needed, run wipefs --all /dev/"
              + name);
    }
  }

  private Optional<String> find(Path device, String name) throws IOException {
    List<String> command = List.of("blkid", "--probe", "--output", "export", device.toString());
    ToolOutput output = blkid.run("util-linux", name, command);
    return switch (output.exitCode()) {
      case 0 -> Optional.of(type(output.stdout()));
      case SEVERAL -> Optional.of("signatures of several formats");
      case NOTHING -> {
        if (!output.stderrTail().isBlank()) {
          throw unread(name, output);
        }
        yield Optional.empty();
      }
      default -> throw unread(name, output);
    };
  }

  private static String type(String printed) {
    for (String name : NAMES) {
      for (String line : printed.lines().toList()) {
        if (line.startsWith(name)) {
          String type = line.substring(name.length());
          return name.equals("TYPE=")
              ? "a signature of the format " + type
              : "a partition table of the type " + type;
        }
      }
    }
    return "a signature of another format";
  }

  private static StorageException unread(String name, ToolOutput output) {
    return LvmFailure.unusable(
        name,
        "blkid does not say what " + name + " holds: " + output.failure("").getMessage(),
        "see this host's kernel log for errors of the disks below " + name);
  }
}
