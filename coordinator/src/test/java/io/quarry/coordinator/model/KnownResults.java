package io.quarry.coordinator.model;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * TLC's findings on each committed model, by a hash of the model's text and configuration. A quick
 * run checks the models that have changed. A full run checks all models, and that the list is true.
 */
final class KnownResults {
  private static final Path FILE = Path.of("src/test/tla-results.txt");

  private final Map<String, Known> byHash;

  /**
   * @param violated the invariant or property that does not hold, or null
   * @param states the number of states when TLC has looked at all; otherwise 0
   */
  record Known(@Nullable String violated, int states) {}

  private KnownResults(Map<String, Known> byHash) {
    this.byHash = byHash;
  }

  static KnownResults read() throws IOException {
    Map<String, Known> all = new TreeMap<>();
    for (String line : Files.readAllLines(FILE)) {
      String[] words = line.split(" ", -1);
      all.put(
          words[0], new Known(words[1].equals("-") ? null : words[1], Integer.parseInt(words[2])));
    }
    return new KnownResults(all);
  }

  static void write(Map<String, Known> found) throws IOException {
    StringBuilder lines = new StringBuilder();
    new TreeMap<>(found)
        .forEach((hash, known) ->
            lines
                .append(hash)
                .append(' ')
                .append(known.violated() == null ? "-" : known.violated())
                .append(' ')
                .append(known.states())
                .append('\n'));
    Files.writeString(FILE, lines);
  }

  @Nullable Known of(String hash) {
    return byHash.get(hash);
  }

  static String hash(Module module, String configuration) {
    try {
      byte[] text = (module.text() + configuration).getBytes(StandardCharsets.UTF_8);
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(text));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }
}
