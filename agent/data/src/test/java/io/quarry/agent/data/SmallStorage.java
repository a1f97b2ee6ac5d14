package io.quarry.agent.data;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Assumptions;

/**
 * A filesystem of a few megabytes that tests fill up. Tests that use it are skipped without root.
 */
public final class SmallStorage implements AutoCloseable {
  private final Path root;

  private SmallStorage(Path root) {
    this.root = root;
  }

  /**
   * @param options as mount takes them for tmpfs
   */
  public static SmallStorage mounted(Path at, String options) throws IOException {
    boolean mounted = run("mount", "-t", "tmpfs", "-o", options, "quarry", at.toString());
    Assumptions.assumeTrue(mounted, "mounting takes root");
    Files.createDirectories(at.resolve("log"));
    Files.createDirectories(at.resolve("tmp"));
    return new SmallStorage(at);
  }

  public Path root() {
    return root;
  }

  /** Takes all free space, to the last byte. */
  public Path fill() throws IOException {
    return fill("filler");
  }

  public Path fill(String name) throws IOException {
    Path filler = root.resolve(name);
    byte[] piece = new byte[512];
    try (var out = Files.newOutputStream(filler)) {
      while (true) {
        out.write(piece);
      }
    } catch (IOException e) {
      return filler;
    }
  }

  /** Waits for a moment in which no process has a file open for writing. */
  public void makeReadOnly() {
    Awaitility.await().until(() -> run("mount", "-o", "remount,ro", root.toString()));
  }

  @Override
  public void close() throws IOException {
    run("umount", "-l", root.toString());
  }

  private static boolean run(String... command) throws IOException {
    Process process =
        new ProcessBuilder(List.of(command))
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .start();
    return process.onExit().join().exitValue() == 0;
  }
}
