package io.quarry.agent.guardian;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.OptionalLong;

/** A pid in a file of its own, replaced as a whole so that no reader gets half a number. */
public final class PidFile {
  /** The pid of the agent's JVM; each restart makes a new one. */
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

  /** Reports no failure, since an earlier write has reported the directory's fault. */
  static void remove(Path directory, String name) {
    try {
      Files.deleteIfExists(directory.resolve(name));
    } catch (IOException _) {
      // The next start tries to write the file again.
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
