package io.quarry.it.failover;

import io.quarry.common.api.Json;
import io.quarry.it.hang.HangFigures;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * {@code ./verify figures}: measures how well the promises of docs/reliability.md are kept, as
 * distributions. Prints a row for each promise, and writes {@code target/figures.json}. Arguments
 * pick parts. All parts take half an hour, on a machine without other load.
 */
@SuppressWarnings("SystemOut")
public final class Figures {
  private final Path directory;
  private final List<Figure> figures = new ArrayList<>();

  private Figures(Path directory) {
    this.directory = directory;
  }

  /** Measures in a directory of its own. */
  private interface Part {
    void measure(Path directory) throws Exception;
  }

  public static void main(String[] arguments) throws Exception {
    Path target = Files.createDirectories(Path.of("target").toAbsolutePath());
    Figures figures = new Figures(Files.createTempDirectory(target, "figures-"));
    try {
      figures.measure(List.of(arguments));
    } finally {
      new ProcessBuilder("rm", "-rf", figures.directory.toString()).inheritIO().start().waitFor();
    }
    figures.figures.forEach(figure -> System.out.println(figure.row()));
    Path file = target.resolve("figures.json");
    Json.MAPPER.writerWithDefaultPrettyPrinter().writeValue(file.toFile(), figures.figures);
    System.out.println("written to " + file);
    if (!figures.figures.stream().allMatch(Figure::met)) {
      System.exit(1);
    }
  }

  private Map<String, Part> parts() {
    Map<String, Part> parts = new LinkedHashMap<>();
    parts.put("agent", at -> new KillFigures(this, at).agents());
    parts.put("sdm", at -> new KillFigures(this, at).sdms());
    parts.put("host", at -> new KillFigures(this, at).hosts());
    parts.put("zookeeper", at -> new ZooKeeperFigures(this, at).measure());
    parts.put("copy", at -> new CopyKillFigures(this, at).measure());
    parts.put("takeover", at -> new LargeTakeoverFigures(this, at).measure());
    parts.put("hang", this::hang);
    return parts;
  }

  private void measure(List<String> wanted) throws Exception {
    Map<String, Part> parts = parts();
    for (String name : wanted) {
      if (!parts.containsKey(name)) {
        throw new IllegalArgumentException(name + " is none of " + parts.keySet());
      }
    }
    for (Map.Entry<String, Part> part : parts.entrySet()) {
      if (wanted.isEmpty() || wanted.contains(part.getKey())) {
        part.getValue().measure(directory.resolve(part.getKey()));
      }
    }
  }

  private void hang(Path at) throws Exception {
    HangFigures hang = HangFigures.measure(at, Duration.ofMinutes(5));
    add("a storage hangs for 5 min: answers of its host", "p99 ≤ 1 s", hang.calls(), hang.met());
    add("  commits elsewhere on that host", "as before", hang.commits(), hang.met());
    add("  its role and its claim move", "to a host that reaches it", hang.moved(), hang.met());
    add("  threads and memory", "do not grow with calls", hang.grown(), hang.met());
  }

  void add(String promise, String goal, String measured, boolean met) {
    double load = ManagementFactory.getOperatingSystemMXBean().getSystemLoadAverage();
    Figure figure = new Figure(promise, goal, measured, met, load);
    figures.add(figure);
    System.out.println(figure.row());
  }
}
