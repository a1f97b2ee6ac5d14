package io.quarry.agent.storage.directory;

import io.quarry.agent.data.os.FileFailure;
import io.quarry.agent.storage.RepositoryStorage;
import java.io.FileInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** A process that uses a repository under limits of its own, and prints its findings. */
final class LimitedProcess {
  /** The prefix of lines that are not log output. */
  static final String SAID = "said ";

  private LimitedProcess() {}

  public static void main(String[] arguments) throws IOException {
    try (RepositoryStorage storage =
        new LocalfsFormat().connect(Map.of("path", arguments[0]), true, "limited@life")) {
      say("largest " + storage.traits().largestImage());
      warmUp(storage, Path.of(arguments[0]));
      List<FileInputStream> open = new ArrayList<>();
      try {
        while (true) {
          open.add(new FileInputStream("/dev/zero"));
        }
      } catch (IOException exhausted) {
        String found = failing(storage);
        for (FileInputStream each : open) {
          each.close();
        }
        say(found);
      }
      say(failing(storage));
    }
  }

  private static void say(String what) {
    System.out.println(SAID + what);
  }

  /** Loading a class from a directory opens a file as well. */
  private static void warmUp(RepositoryStorage storage, Path root) throws IOException {
    Path taken = Files.createDirectory(root.resolve("tmp/asked"));
    String found = failing(storage);
    if (found.equals("works")) {
      throw new IOException("a directory was removed: " + taken);
    }
    Files.delete(taken);
  }

  private static String failing(RepositoryStorage storage) {
    try {
      storage.ping("asked");
      return "works";
    } catch (IOException e) {
      return FileFailure.kindOf(e) + ": " + e.getMessage() + "; " + FileFailure.remedyOf(e);
    }
  }
}
