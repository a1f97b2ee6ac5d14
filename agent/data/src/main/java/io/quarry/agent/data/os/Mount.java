package io.quarry.agent.data.os;

import java.nio.charset.StandardCharsets;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * One mount of this process's namespace, a line of {@code /proc/self/mountinfo}.
 *
 * @param id the kernel's number of the mount
 * @param point where the mount is
 * @param type of the filesystem, for example {@code nfs4}
 * @param source what is mounted, for example {@code server:/export}
 * @param options of the mount and of its filesystem; an option without a value has an empty one
 */
public record Mount(long id, Path point, String type, String source, Map<String, String> options) {
  private static final int ID = 0;
  private static final int POINT = 4;
  private static final int MOUNT_OPTIONS = 5;
  private static final int OCTAL = 8;
  private static final Pattern ESCAPE = Pattern.compile("\\\\([0-3][0-7]{2})");

  public Mount {
    options = Map.copyOf(options);
  }

  /**
   * Empty for a line of another shape: a later kernel may write more, but nothing in between. Empty
   * also for a mount point that Java has no path for.
   *
   * @param line a character for each byte
   */
  static Optional<Mount> parse(String line) {
    try {
      return parsed(line);
    } catch (NumberFormatException | InvalidPathException e) {
      return Optional.empty();
    }
  }

  private static Optional<Mount> parsed(String line) {
    List<String> words = Arrays.asList(line.split(" ", -1));
    int separator = words.indexOf("-");
    if (separator <= MOUNT_OPTIONS || words.size() < separator + 4) {
      return Optional.empty();
    }
    Map<String, String> options = new LinkedHashMap<>();
    addOptions(words.get(MOUNT_OPTIONS), options);
    addOptions(words.get(separator + 3), options);
    return Optional.of(
        new Mount(
            Long.parseLong(words.get(ID)),
            Path.of(unescaped(words.get(POINT))),
            words.get(separator + 1),
            unescaped(words.get(separator + 2)),
            options));
  }

  private static void addOptions(String text, Map<String, String> options) {
    for (String option : text.split(",", -1)) {
      int equals = option.indexOf('=');
      if (equals < 0) {
        options.put(option, "");
      } else {
        options.put(option.substring(0, equals), unescaped(option.substring(equals + 1)));
      }
    }
  }

  /** The kernel writes spaces, tabs, newlines and backslashes as a backslash and three digits. */
  private static String unescaped(String text) {
    String plain =
        ESCAPE
            .matcher(text)
            .replaceAll(found ->
                Matcher.quoteReplacement(
                    String.valueOf((char) Integer.parseInt(found.group(1), OCTAL))));
    return new String(plain.getBytes(StandardCharsets.ISO_8859_1), StandardCharsets.UTF_8);
  }

  /** Whether the option is set, with or without a value. */
  public boolean has(String option) {
    return options.containsKey(option);
  }

  /** The option's value; empty when the option is not set. */
  public String option(String option) {
    return options.getOrDefault(option, "");
  }
}
