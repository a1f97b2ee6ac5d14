package io.quarry.coordinator.model;

import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import tlc2.TLC;

/**
 * Runs the model checker in a process of its own: TLC keeps state in static fields, and ends by
 * leaving the JVM.
 */
final class Tlc {
  private static final String HEAP = "-Xmx1g";
  private static final Pattern VIOLATED =
      Pattern.compile("Error: (?:Invariant|Action property) (\\w+) is violated");
  private static final Pattern STATES =
      Pattern.compile("(\\d+) distinct states found, 0 states left on queue");

  private final Path directory;
  private final List<String> effort;

  /**
   * @param directory an empty one, for the files of a run
   * @param brief whether the run is likely to end before optimized machine code would help
   */
  Tlc(Path directory, boolean brief) {
    this.directory = directory;
    this.effort = brief ? List.of("-XX:TieredStopAtLevel=1") : List.of();
  }

  /** TLC's output. */
  record Result(String output) {
    /** The invariant or property that does not hold, or null. */
    @Nullable String violated() {
      Matcher found = VIOLATED.matcher(output);
      return found.find() ? found.group(1) : null;
    }

    /** The number of states; 0 when TLC did not look at all. */
    int states() {
      Matcher found = STATES.matcher(output);
      boolean whole = output.contains("No error has been found") && found.find();
      return whole ? Integer.parseInt(found.group(1)) : 0;
    }
  }

  Result check(Module module, String configuration, Duration within)
      throws IOException, InterruptedException {
    Files.writeString(directory.resolve(module.name() + ".tla"), module.text());
    Files.writeString(directory.resolve(module.name() + ".cfg"), configuration);
    Path output = directory.resolve("output");
    Process process =
        new ProcessBuilder(command(module))
            .directory(directory.toFile())
            .redirectErrorStream(true)
            .redirectOutput(output.toFile())
            .start();
    try {
      if (!process.waitFor(within.toMillis(), TimeUnit.MILLISECONDS)) {
        throw new IOException("no end within " + within + ":\n" + Files.readString(output));
      }
      return new Result(Files.readString(output));
    } finally {
      process.destroyForcibly().waitFor();
    }
  }

  private List<String> command(Module module) {
    List<String> words = new ArrayList<>();
    words.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    words.addAll(List.of(HEAP, "-XX:+UseSerialGC"));
    words.addAll(effort);
    // TLC unpacks the standard modules there.
    words.add("-Djava.io.tmpdir=" + directory);
    words.addAll(List.of("-cp", jar(), TLC.class.getName(), "-workers", "1", "-metadir", "states"));
    words.add(module.name());
    return words;
  }

  private static String jar() {
    try {
      return Path.of(TLC.class.getProtectionDomain().getCodeSource().getLocation().toURI())
          .toString();
    } catch (URISyntaxException e) {
      throw new IllegalStateException(e);
    }
  }
}
