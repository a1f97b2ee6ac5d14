package io.quarry.agent.cli;

import io.quarry.agent.call.FakeStorage;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.Problem;
import io.quarry.common.api.StorageException;
import io.quarry.common.model.ImageState;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * What a person types at a shell, line by line. Standard error is marked with {@code !}, an exit
 * code other than 0 stands in brackets, and {@code %} changes the storage behind the scenes.
 */
public final class Session {
  private Session() {}

  /** The lines, with what each command prints. */
  public static String replay(List<String> lines, Console console) {
    StringBuilder printed = new StringBuilder();
    for (String line : lines) {
      if (line.startsWith("#")) {
        printed.append(printed.isEmpty() ? "" : "\n").append(line).append("\n\n");
      } else if (line.startsWith("%")) {
        printed.append(line).append('\n');
        change(console.storage, line.substring(1).strip());
      } else if (line.startsWith("$")) {
        printed.append(line).append('\n').append(text(console.run(line.substring(1).strip())));
      }
    }
    return printed.toString();
  }

  private static void change(FakeStorage storage, String what) {
    switch (what) {
      case "the next upload breaks off" -> storage.cutOffAt = 1 << 20;
      case "no files" -> removeFiles();
      case "a short file" -> write("short.raw", "x".repeat(1000));
      case "links and directories" -> linksAndDirectories();
      case "a directory with a file" -> write("full/file", "x");
      case "a file is lost" ->
          storage.problems.add(
              new Problem(
                  Problem.Kind.MISSING_VOLUME,
                  "disk-1",
                  "v1.1.raw",
                  "the log says that it is whole, but file v1.1.raw is not there",
                  "bring it back from a backup"));
      case "fixes fail" -> storage.poisoned = true;
      case "fixes work" -> {
        storage.poisoned = false;
        storage.stalled = false;
        storage.best = ImageState.OPTIMIZED;
      }
      case "fixes only get to degraded" -> storage.best = ImageState.DEGRADED;
      case "fixes stand still" -> storage.stalled = true;
      case "no SDM for three calls", "no SDM" -> {
        storage.trouble =
            new StorageException(
                ErrorCode.SDM_UNAVAILABLE, "no SDM is elected", "main", "Try again.");
        storage.troubles = what.equals("no SDM") ? Integer.MAX_VALUE : 3;
      }
      default -> throw new IllegalArgumentException(what);
    }
  }

  private static void write(String name, String text) {
    Path file = Path.of("target/golden-" + name);
    try {
      Files.createDirectories(file.toAbsolutePath().getParent());
      Files.writeString(file, text);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void linksAndDirectories() {
    try {
      Files.deleteIfExists(Path.of("target/golden-link"));
      Files.createSymbolicLink(Path.of("target/golden-link"), Path.of("golden-disk.raw"));
      Files.createDirectories(Path.of("target/golden-directory"));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void removeFiles() {
    for (String name :
        List.of("disk.raw", "disk.raw.part", "disk.raw.part.json", "none.raw.part", "disk.qcow2")) {
      try {
        Files.deleteIfExists(Path.of("target/golden-" + name));
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }

  private static String text(Console.Result result) {
    StringBuilder text = new StringBuilder(result.out());
    result.err().lines().forEach(line -> text.append("! ").append(line).append('\n'));
    if (result.exit() != 0) {
      text.append('[').append(result.exit()).append("]\n");
    }
    return text.toString();
  }
}
