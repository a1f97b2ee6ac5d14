package io.quarry.agent.chaos;

import io.quarry.agent.dev.DeleteTree;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * A repository as a backup holds it: key, canaries and log of one moment. The volumes are left out,
 * since no host may get far enough to need one.
 */
final class RepositoryCopy {
  private static final String LOG = "log";
  private static final String RECORD = ".record";
  private static final String CANARY = "canary.";

  /** The head is copied first, so that it is older than the copied records. */
  private static final String HEAD = "head";

  private static final List<String> EMPTY = List.of("fixes", "tmp", "volumes");
  private static final int TRIES_MAX = 20;

  private final Path original;
  private final Path copy;
  private final Set<String> log;

  private RepositoryCopy(Path original, Path copy) throws IOException {
    this.original = original;
    this.copy = copy;
    this.log = Set.copyOf(names(copy.resolve(LOG)));
  }

  static RepositoryCopy take(Path original, Path copy) throws IOException {
    Files.createDirectories(copy);
    for (String name : EMPTY) {
      Files.createDirectories(copy.resolve(name));
    }
    copyFiles(original, copy, names(original));
    for (int tries = 1; ; tries++) {
      DeleteTree.of(copy.resolve(LOG));
      Files.createDirectories(copy.resolve(LOG));
      try {
        copyLog(original.resolve(LOG), copy.resolve(LOG));
        return new RepositoryCopy(original, copy);
      } catch (NoSuchFileException e) {
        // A checkpoint has freed records during the copy: a mix of old and new would be a damaged
        // log.
        if (tries == TRIES_MAX) {
          throw e;
        }
      }
    }
  }

  private static void copyLog(Path from, Path to) throws IOException {
    if (Files.exists(from.resolve(HEAD))) {
      Files.copy(from.resolve(HEAD), to.resolve(HEAD));
    }
    Set<String> others = names(from);
    others.remove(HEAD);
    copyFiles(from, to, others);
  }

  private static void copyFiles(Path from, Path to, Set<String> names) throws IOException {
    for (String name : names) {
      if (!Files.isDirectory(from.resolve(name))) {
        Files.copy(from.resolve(name), to.resolve(name));
      }
    }
  }

  private static Set<String> names(Path directory) throws IOException {
    try (Stream<Path> found = Files.list(directory)) {
      return found
          .map(each -> String.valueOf(each.getFileName()))
          .collect(Collectors.toCollection(TreeSet::new));
    }
  }

  /** The number of the copy's newest record; 0 when it has none. */
  long newest() {
    return log.stream()
        .filter(name -> name.endsWith(RECORD))
        .max(Comparator.naturalOrder())
        .map(name -> Long.parseLong(name.substring(0, name.length() - RECORD.length())))
        .orElse(0L);
  }

  /** Whether the original has a canary that the copy lacks. */
  boolean lacksCanary() throws IOException {
    return !canaries(original).equals(canaries(copy));
  }

  private static Set<String> canaries(Path root) throws IOException {
    Set<String> found = new TreeSet<>();
    for (String name : names(root)) {
      if (name.startsWith(CANARY)) {
        found.add(Files.readString(root.resolve(name)));
      }
    }
    return found;
  }

  /** The records that were committed to the copy. */
  Set<String> committed() throws IOException {
    Set<String> now = names(copy.resolve(LOG));
    now.removeIf(name -> log.contains(name) || !name.endsWith(RECORD));
    return now;
  }
}
