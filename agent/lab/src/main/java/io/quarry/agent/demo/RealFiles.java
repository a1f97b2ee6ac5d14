package io.quarry.agent.demo;

import java.io.IOException;
import java.nio.file.FileVisitOption;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** Finds a few large files of this machine: real data, neither zeros nor noise. */
final class RealFiles {
  /** Smaller files would slow down the making of the filesystem, and add no more real data. */
  private static final long FILE_BYTES_MIN = 1 << 20;

  private static final long FILE_BYTES_MAX = 256L << 20;
  private static final int DEPTH_MAX = 12;
  private static final int FILES_VISITED_MAX = 300_000;

  /** A file and its size when it was found. */
  record Found(Path path, long bytes) {}

  private final long bytesWanted;
  private final List<Found> found = new ArrayList<>();
  private long bytes;
  private int visited;

  private RealFiles(long bytesWanted) {
    this.bytesWanted = bytesWanted;
  }

  /** Searches the places in turn until enough bytes are found; may find less. */
  static List<Found> find(List<Path> places, long bytesWanted) throws IOException {
    RealFiles search = new RealFiles(bytesWanted);
    for (Path place : places) {
      if (search.bytes < bytesWanted && Files.isDirectory(place)) {
        Files.walkFileTree(place, Set.<FileVisitOption>of(), DEPTH_MAX, search.new Visitor());
      }
    }
    return List.copyOf(search.found);
  }

  /** Places in which every machine with Java has large files. */
  static List<Path> usualPlaces() {
    return List.of(
        Path.of(System.getProperty("java.home"), "lib"),
        Path.of(System.getProperty("user.home"), ".m2", "repository"),
        Path.of("/usr/lib"),
        Path.of("/usr/bin"),
        Path.of("/usr/share"),
        Path.of("/opt"));
  }

  private final class Visitor extends SimpleFileVisitor<Path> {
    @Override
    public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
      long size = attributes.size();
      if (attributes.isRegularFile()
          && size >= FILE_BYTES_MIN
          && size <= FILE_BYTES_MAX
          && Files.isReadable(file)) {
        found.add(new Found(file, size));
        bytes += size;
      }
      return bytes >= bytesWanted || ++visited >= FILES_VISITED_MAX
          ? FileVisitResult.TERMINATE
          : FileVisitResult.CONTINUE;
    }

    @Override
    public FileVisitResult visitFileFailed(Path file, IOException failure) {
      return FileVisitResult.CONTINUE;
    }
  }
}
