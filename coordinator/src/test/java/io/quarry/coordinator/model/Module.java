package io.quarry.coordinator.model;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * A TLA+ module, read from its text: its constants, and its invariants. So there is no second list
 * that could differ.
 */
record Module(String name, String text) {
  private static final Path DIRECTORY = Path.of("src/test/tla");
  private static final Pattern CONSTANTS = Pattern.compile("(?ms)^CONSTANTS\\b(.*?)^$");
  private static final Pattern COMMENT = Pattern.compile("\\\\\\*.*");
  private static final Pattern WORD = Pattern.compile("\\w+");
  private static final Pattern DEFINITION = Pattern.compile("(?m)^(\\w+) ==(\\s*\\[\\]\\[)?");
  private static final String MUST_HOLD = "(* ---- what must hold ---- *)";

  static Module read(String name) throws IOException {
    return new Module(name, Files.readString(DIRECTORY.resolve(name + ".tla")));
  }

  static List<String> all() throws IOException {
    try (Stream<Path> files = Files.list(DIRECTORY)) {
      return files
          .map(file -> String.valueOf(file.getFileName()))
          .map(file -> file.substring(0, file.length() - ".tla".length()))
          .sorted()
          .toList();
    }
  }

  List<String> constants() {
    return CONSTANTS
        .matcher(text)
        .results()
        .map(block -> COMMENT.matcher(block.group(1)).replaceAll(""))
        .flatMap(block -> WORD.matcher(block).results())
        .map(MatchResult::group)
        .toList();
  }

  /** A constant that the scenario does not bind is a switch, and on. */
  List<String> switches(Scenario scenario) {
    return constants().stream().filter(name -> !scenario.bounds().containsKey(name)).toList();
  }

  /** TLC's configuration. */
  String configuration(Scenario scenario, Map<String, String> values, List<String> off) {
    Map<String, String> all = new TreeMap<>(scenario.bounds());
    all.putAll(values);
    switches(scenario).forEach(name -> all.put(name, off.contains(name) ? "FALSE" : "TRUE"));
    StringBuilder lines =
        new StringBuilder("SPECIFICATION Spec\nCHECK_DEADLOCK FALSE\nCONSTANTS\n");
    all.forEach((name, value) -> lines.append("  %s = %s%n".formatted(name, value)));
    DEFINITION
        .matcher(text.substring(text.indexOf(MUST_HOLD)))
        .results()
        .map(found -> (found.group(2) == null ? "INVARIANT " : "PROPERTY ") + found.group(1))
        .forEach(line -> lines.append(line).append('\n'));
    return lines.toString();
  }
}
