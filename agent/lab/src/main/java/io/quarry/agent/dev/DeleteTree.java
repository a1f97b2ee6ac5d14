package io.quarry.agent.dev;

import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import org.jspecify.annotations.Nullable;

/** Deletes the files of a local cluster. */
public final class DeleteTree {
  /** A process that was just ended may have written meanwhile. */
  private static final int TRIES_MAX = 3;

  private DeleteTree() {}

  /** Deletes the directory and all files below it; a missing directory is fine. */
  public static void of(Path directory) throws IOException {
    delete(directory, true);
  }

  /** Deletes all files below the directory. */
  public static void below(Path directory) throws IOException {
    delete(directory, false);
  }

  private static void delete(Path directory, boolean itself) throws IOException {
    for (int tries = 1; Files.exists(directory); tries++) {
      try {
        Files.walkFileTree(directory, new Deleting(directory, itself));
        return;
      } catch (IOException e) {
        if (tries == TRIES_MAX) {
          throw e;
        }
      }
    }
  }

  private static final class Deleting extends SimpleFileVisitor<Path> {
    private final Path root;
    private final boolean rootToo;

    Deleting(Path root, boolean rootToo) {
      this.root = root;
      this.rootToo = rootToo;
    }

    @Override
    public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
      Files.deleteIfExists(file);
      return FileVisitResult.CONTINUE;
    }

    @Override
    public FileVisitResult visitFileFailed(Path file, IOException failure) {
      return FileVisitResult.CONTINUE;
    }

    @Override
    public FileVisitResult postVisitDirectory(Path directory, @Nullable IOException failure)
        throws IOException {
      if (rootToo || !directory.equals(root)) {
        Files.deleteIfExists(directory);
      }
      return FileVisitResult.CONTINUE;
    }
  }
}
