package io.quarry.agent.chaos;

import io.quarry.agent.chaos.Arena.Sights;
import io.quarry.agent.chaos.Arena.Strike;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A process that knows a volume's file and does not use Quarry: a domain with an outdated
 * definition, or a tool. The process opens the file for writing and holds the file open for a
 * while, without a write. Opening a frozen file has to fail.
 */
final class ForeignWriter {
  /** User and group of the process when the arena runs as root; volumes belong to this group. */
  static final int NOBODY = 65_534;

  private static final int WRITE_PERMISSIONS = 0222;

  private final List<Path> volumes;
  private final boolean root;

  /**
   * @param repositories directories of the repositories
   * @param root whether the process has to become another user
   */
  ForeignWriter(List<Path> repositories, boolean root) {
    this.volumes = repositories.stream().map(each -> each.resolve("volumes")).toList();
    this.root = root;
  }

  @Nullable Strike strike(Fault fault, Sights sights) throws IOException {
    Path file = file(fault.roll());
    if (file == null) {
      return null;
    }
    Map<String, Object> before = Files.readAttributes(file, "unix:mode,ctime");
    Process process = open(file);
    if (!holds(process)) {
      return Strike.once("a foreign process is denied " + file.getFileName(), 0);
    }
    int mode = (Integer) Objects.requireNonNull(before.get("mode"));
    boolean frozen = (mode & WRITE_PERMISSIONS) == 0;
    // A merge may have thawed the file meanwhile, which changes the time.
    if (frozen && before.equals(Files.readAttributes(file, "unix:mode,ctime"))) {
      sights.violation("a foreign process opened the frozen file " + file + " for writing");
    }
    return Strike.lasting(
        "a foreign process holds " + file.getFileName(),
        Set.of(),
        fault.lasts(),
        () -> end(process));
  }

  /** Writes some bytes, like a domain that was started with an outdated path. */
  boolean overwrites(Path file) throws IOException {
    Process process = open(file, "-c", "write -P 165 0 512");
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    end(process);
    return said.contains("wrote 512/512");
  }

  private @Nullable Path file(int roll) throws IOException {
    List<Path> files = new ArrayList<>();
    for (Path directory : volumes) {
      try (Stream<Path> found = Files.list(directory)) {
        found.sorted().forEach(files::add);
      }
    }
    return files.isEmpty() ? null : files.get(roll % files.size());
  }

  private Process open(Path file, String... commands) throws IOException {
    List<String> words = new ArrayList<>();
    if (root) {
      String nobody = Integer.toString(NOBODY);
      words.addAll(List.of("setpriv", "--reuid", nobody, "--regid", nobody, "--clear-groups"));
    }
    words.addAll(List.of("qemu-io", "-f", "raw"));
    words.addAll(List.of(commands));
    words.add(file.toString());
    return new ProcessBuilder(words).redirectErrorStream(true).start();
  }

  /** Whether the process has the file open; otherwise the process has ended. */
  private static boolean holds(Process process) throws IOException {
    BufferedReader said = process.inputReader(StandardCharsets.UTF_8);
    try {
      process.outputWriter(StandardCharsets.UTF_8).append("length\n").flush();
    } catch (IOException e) {
      // A process that could not open the file reads no command.
      end(process);
      return false;
    }
    for (String line = said.readLine(); line != null; line = said.readLine()) {
      if (line.matches("(qemu-io> )?[0-9.]+ (bytes|[KMG]iB).*")) {
        return true;
      }
    }
    end(process);
    return false;
  }

  private static void end(Process process) {
    process.destroyForcibly();
    process.onExit().join();
  }
}
