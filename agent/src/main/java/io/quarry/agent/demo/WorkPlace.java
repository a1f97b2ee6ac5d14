package io.quarry.agent.demo;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** The directory where everything of a demo is, and which it leaves as it found it. */
final class WorkPlace {
  private final Path directory;
  private final boolean made;

  private WorkPlace(Path directory, boolean made) {
    this.directory = directory;
    this.made = made;
  }

  /** Refuses a directory that holds something: cleaning it would be somebody's loss. */
  static WorkPlace prepare(@Nullable Path wanted) throws IOException, DemoFailure {
    if (wanted == null) {
      return new WorkPlace(Files.createTempDirectory("quarry-demo-"), true);
    }
    Path directory = wanted.toAbsolutePath().normalize();
    boolean made = !Files.exists(directory);
    Files.createDirectories(directory);
    try (Stream<Path> files = Files.list(directory)) {
      if (files.findAny().isPresent()) {
        throw new DemoFailure(directory + " is not empty; name an empty or a new one");
      }
    }
    return new WorkPlace(directory, made);
  }

  Path directory() {
    return directory;
  }

  void checkFreeSpace(long needed) throws IOException, DemoFailure {
    long free = Files.getFileStore(directory).getUsableSpace();
    if (free < needed) {
      throw new DemoFailure(
          "%s has %s free, and the demo needs %s; name another place with --directory"
              .formatted(directory, Figures.mebibytes(free), Figures.mebibytes(needed)));
    }
  }

  /** Whoever still writes may have made something meanwhile; then it is done again. */
  void clean() {
    for (int tries = 0; tries < 3; tries++) {
      try {
        delete();
        return;
      } catch (IOException e) {
        if (tries == 2) {
          throw new UncheckedIOException(e);
        }
      }
    }
  }

  private void delete() throws IOException {
    if (!Files.exists(directory)) {
      return;
    }
    Files.walkFileTree(
        directory,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
              throws IOException {
            Files.deleteIfExists(file);
            return FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult visitFileFailed(Path file, IOException failure) {
            return FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult postVisitDirectory(Path visited, @Nullable IOException failure)
              throws IOException {
            if (made || !visited.equals(directory)) {
              Files.deleteIfExists(visited);
            }
            return FileVisitResult.CONTINUE;
          }
        });
  }
}
