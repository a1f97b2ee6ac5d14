package io.quarry.agent.demo;

import io.quarry.agent.data.os.NativeFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * The places of data in the files of a directory at one moment. After a kill the places show what
 * the dead worker had written behind its checkpoint. The worker's successor writes that data once
 * more.
 */
final class Written {
  private record Stretch(long start, long end) {}

  private final List<Stretch> stretches;

  private Written(List<Stretch> stretches) {
    this.stretches = stretches;
  }

  static Written in(Path directory) throws IOException {
    List<Stretch> found = new ArrayList<>();
    try (Stream<Path> files = Files.list(directory)) {
      for (Path path : files.toList()) {
        try (NativeFile file = NativeFile.openRead(path)) {
          collect(file, found);
        } catch (NoSuchFileException gone) {
          // A host removes the file at this very moment.
        }
      }
    }
    return new Written(found);
  }

  private static void collect(NativeFile file, List<Stretch> found) throws IOException {
    Optional<Long> start = file.nextData(0);
    while (start.isPresent()) {
      long end = file.nextHole(start.get());
      found.add(new Stretch(start.get(), end));
      start = file.nextData(end);
    }
  }

  long bytesFrom(long offset) {
    return stretches.stream()
        .mapToLong(stretch -> Math.max(0, stretch.end() - Math.max(offset, stretch.start())))
        .sum();
  }
}
