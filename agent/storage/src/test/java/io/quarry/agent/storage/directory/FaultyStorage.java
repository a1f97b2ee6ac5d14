package io.quarry.agent.storage.directory;

import io.quarry.agent.data.RawTarget;
import io.quarry.agent.data.os.Folder;
import io.quarry.agent.data.os.NativeFile;
import io.quarry.common.api.StorageException;
import io.quarry.coordinator.log.PutNotStartedException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A process that uses a storage whose system calls a tracer answers, and prints its findings. */
final class FaultyStorage {
  /** The prefix of lines that are not log output. */
  static final String SAID = "said ";

  private FaultyStorage() {}

  public static void main(String[] arguments) throws IOException {
    Path root = Path.of(arguments[1]);
    switch (arguments[0]) {
      case "connect" -> connect(root);
      case "read" -> read(root, arguments[2]);
      case "open" -> open(root, arguments[2]);
      case "put" -> put(root, arguments[2]);
      case "flush" -> flush(root, arguments[2]);
      case "lock" -> lock(root, arguments[2]);
      default -> throw new IllegalArgumentException(arguments[0]);
    }
  }

  private static void connect(Path root) {
    try {
      new LocalfsFormat().connect(Map.of("path", root.toString()), true, "a@life").close();
      say("connected");
    } catch (StorageException e) {
      say(e.code() + ": " + e.getMessage() + "; " + e.remedy());
    }
  }

  private static void read(Path root, String slot) throws IOException {
    try (DirectorySlotStore store = new DirectorySlotStore(Folder.open(root), "a")) {
      say(text(store.read(slot)));
    }
  }

  private static void open(Path root, String slot) throws IOException {
    try (DirectorySlotStore store = new DirectorySlotStore(Folder.open(root), "a");
        InputStream in = store.open(slot)) {
      say(text(in == null ? null : in.readAllBytes()));
    }
  }

  private static void put(Path root, String slot) throws IOException {
    try (DirectorySlotStore store = new DirectorySlotStore(Folder.open(root), "a")) {
      say(String.valueOf(store.putIfAbsent(slot, out -> out.write(1))));
    } catch (PutNotStartedException e) {
      say("not started, full " + e.noSpace() + ": " + e.getMessage());
    }
  }

  private static void flush(Path root, String file) throws IOException {
    try (Folder folder = Folder.open(root);
        RawTarget target = RawTarget.create(folder.openWrite(file), 1)) {
      for (int i = 0; i < 2; i++) {
        try {
          target.flush();
          say("flushed");
        } catch (IOException e) {
          say(String.valueOf(e.getMessage()));
        }
      }
    }
  }

  private static void lock(Path root, String file) throws IOException {
    try (Folder folder = Folder.open(root);
        NativeFile other = folder.openWrite(file)) {
      say("locked " + other.tryLock(0, Long.MAX_VALUE));
      try {
        RawTarget.reopen(folder.openWrite(file), 0, 1).close();
        say("reopened");
      } catch (IOException e) {
        say(String.valueOf(e.getMessage()));
      }
    }
  }

  private static String text(byte @Nullable [] content) {
    return content == null ? "free" : new String(content, StandardCharsets.UTF_8);
  }

  private static void say(String what) {
    System.out.println(SAID + what);
  }
}
