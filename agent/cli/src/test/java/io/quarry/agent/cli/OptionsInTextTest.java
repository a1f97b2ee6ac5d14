package io.quarry.agent.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;

/** 12.20: a user can type every option that messages and help name. */
final class OptionsInTextTest {
  /** The packages with texts for users; other packages start tools with options of their own. */
  private static final List<String> SPEAKERS =
      List.of(
          "src/main/java/io/quarry/agent/cli",
          "../node/src/main/java/io/quarry/agent/service",
          "../server/src/main/java",
          "../node/src/main/java/io/quarry/agent/check",
          "../node/src/main/java/io/quarry/agent/repository",
          "../node/src/main/java/io/quarry/agent/fix",
          "../../common/src/main/java",
          "../../coordinator/src/main/java/io/quarry/coordinator/plan",
          "../../coordinator/src/main/java/io/quarry/coordinator/log");

  /** A string literal, or several that are joined. */
  private static final Pattern TEXT =
      Pattern.compile("\"(?:[^\"\\\\]|\\\\.)*\"(?:\\s*\\+\\s*\"(?:[^\"\\\\]|\\\\.)*\")*");

  private static final Pattern JOINT = Pattern.compile("\"\\s*\\+\\s*\"");
  private static final Pattern OPTION = Pattern.compile("(?<![\\w-])--[a-z][a-z0-9-]*");
  private static final Pattern COMMAND =
      Pattern.compile("(?<![\\w./-])quarry ((?:[a-z][a-z-]*)(?: [a-z][a-z-]*)?)");

  private static final CommandLine MAIN = new Console(false, Map.of()).commandLine();

  private static List<String> texts() throws IOException {
    List<String> texts = new ArrayList<>();
    for (String speaker : SPEAKERS) {
      try (Stream<Path> files = Files.walk(Path.of(speaker))) {
        for (Path file : files.filter(each -> each.toString().endsWith(".java")).toList()) {
          Matcher text = TEXT.matcher(Files.readString(file));
          while (text.find()) {
            texts.add(JOINT.matcher(text.group()).replaceAll(""));
          }
        }
      }
    }
    return texts;
  }

  private static void collect(CommandLine command, Set<String> options) {
    command.getCommandSpec().options().forEach(option -> options.addAll(List.of(option.names())));
    command.getSubcommands().values().forEach(each -> collect(each, options));
  }

  @Test
  void optionsThatAreNamedExist() throws IOException {
    Set<String> known = new TreeSet<>();
    collect(MAIN, known);
    Set<String> named = new TreeSet<>();
    for (String text : texts()) {
      Matcher option = OPTION.matcher(text);
      while (option.find()) {
        named.add(option.group());
      }
    }
    assertThat(named).hasSizeGreaterThan(30).contains("--force", "--format");
    assertThat(known).containsAll(named);
  }

  @Test
  void commandsThatAreNamedExist() throws IOException {
    Set<String> unknown = new TreeSet<>();
    int found = 0;
    for (String text : texts()) {
      Matcher command = COMMAND.matcher(text);
      while (command.find()) {
        found++;
        if (!exists(command.group(1).split(" ", -1))) {
          unknown.add(command.group() + " in " + text);
        }
      }
    }
    assertThat(found).isGreaterThan(40);
    assertThat(unknown).isEmpty();
  }

  private static boolean exists(String... words) {
    CommandLine first = MAIN.getSubcommands().get(words[0]);
    return first != null
        && (words.length == 1
            || first.getSubcommands().isEmpty()
            || first.getSubcommands().containsKey(words[1]));
  }
}
