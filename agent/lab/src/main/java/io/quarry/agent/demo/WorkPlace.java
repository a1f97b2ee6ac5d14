package io.quarry.agent.demo;

import io.quarry.agent.dev.DeleteTree;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** The directory of a temporary cluster; the end restores the directory as it was found. */
public final class WorkPlace {
  private final Path directory;
  private final boolean made;

  private WorkPlace(Path directory, boolean made) {
    this.directory = directory;
    this.made = made;
  }

  /** Refuses a directory that is not empty: cleaning would delete a user's files. */
  public static WorkPlace prepare(@Nullable Path wanted) throws IOException, DemoFailure {
    if (wanted == null) {
      return new WorkPlace(Files.createTempDirectory("quarry-"), true);
    }
    Path directory = wanted.toAbsolutePath().normalize();
    boolean made = !Files.exists(directory);
    Files.createDirectories(directory);
    try (Stream<Path> files = Files.list(directory)) {
      if (files.findAny().isPresent()) {
        throw new DemoFailure(
            wanted + " is not empty", "Name an empty directory, or one that does not exist yet.");
      }
    }
    return new WorkPlace(directory, made);
  }

  public Path directory() {
    return directory;
  }

  void checkFreeSpace(long needed) throws IOException, DemoFailure {
    long free = Files.getFileStore(directory).getUsableSpace();
    if (free < needed) {
      throw new DemoFailure(
          "%s has %s free, and the demo needs %s"
              .formatted(directory, DemoFigures.mebibytes(free), DemoFigures.mebibytes(needed)),
          "Name a place with more space with --directory.");
    }
  }

  public void clean() throws IOException {
    if (made) {
      DeleteTree.of(directory);
    } else {
      DeleteTree.below(directory);
    }
  }
}
