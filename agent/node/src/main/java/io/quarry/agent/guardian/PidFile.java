package io.quarry.agent.guardian;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.OptionalLong;

/** A pid in a file of its own, replaced as a whole so that nobody reads half a number. */
public final class PidFile {
  /** The real agent's JVM; another one after each restart. */
  public static final String AGENT = "agent.pid";

  public static final String GUARDIAN = "guardian.pid";

  private PidFile() {}

  static void write(Path directory, String name, long pid) throws IOException {
    Files.createDirectories(directory);
    Path unfinished = directory.resolve(name + ".new");
    Files.writeString(unfinished, pid + "\n");
    Files.move(
        unfinished,
        directory.resolve(name),
        StandardCopyOption.ATOMIC_MOVE,
        StandardCopyOption.REPLACE_EXISTING);
  }

  /** Without a word when it cannot be done: what is to be said about the directory was said. */
  static void remove(Path directory, String name) {
    try {
      Files.deleteIfExists(directory.resolve(name));
    } catch (IOException _) {
      // The next start tries to write it again.
    }
  }

  /** Empty when there is no such file yet. The process may have ended since. */
  public static OptionalLong read(Path directory, String name) throws IOException {
    try {
      return OptionalLong.of(Long.parseLong(Files.readString(directory.resolve(name)).strip()));
    } catch (NoSuchFileException notYet) {
      return OptionalLong.empty();
    }
  }
}
