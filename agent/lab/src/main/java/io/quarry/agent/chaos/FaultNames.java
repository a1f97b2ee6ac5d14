package io.quarry.agent.chaos;

import io.quarry.agent.chaos.Fault.Kind;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Kinds of faults as users choose them: by name, or by the name of a group. */
public final class FaultNames {
  private static final Map<String, Set<Kind>> GROUPS = groups();

  private FaultNames() {}

  /**
   * The kinds that a text like {@code kills,zombie} means; {@code KILL_AGENT} is {@code
   * kill-agent}.
   *
   * @throws IllegalArgumentException for an unknown word; the message lists the known ones
   */
  public static Set<Kind> parse(String text) {
    Set<Kind> kinds = EnumSet.noneOf(Kind.class);
    for (String word : text.split(",", -1)) {
      kinds.addAll(kinds(word.strip()));
    }
    return kinds;
  }

  private static Set<Kind> kinds(String word) {
    String name = word.toLowerCase(Locale.ROOT).replace('_', '-');
    Set<Kind> group = GROUPS.get(name);
    if (group != null) {
      return group;
    }
    return Arrays.stream(Kind.values())
        .filter(kind -> of(kind).equals(name))
        .findFirst()
        .map(Set::of)
        .orElseThrow(() ->
            new IllegalArgumentException(
                "there is no fault '%s': choose some of %s, separated by commas"
                    .formatted(word, all())));
  }

  /** The kind's name on a command line. */
  public static String of(Kind kind) {
    return kind.name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  /** All known words, groups first. */
  public static String all() {
    return Stream.concat(GROUPS.keySet().stream(), Arrays.stream(Kind.values()).map(FaultNames::of))
        .collect(Collectors.joining(", "));
  }

  private static Map<String, Set<Kind>> groups() {
    Map<String, Set<Kind>> groups = new LinkedHashMap<>();
    groups.put("all", EnumSet.allOf(Kind.class));
    groups.put(
        "kills",
        Arrays.stream(Kind.values()).filter(Kind::kills).collect(Collectors.toUnmodifiableSet()));
    groups.put(
        "pauses",
        EnumSet.of(
            Kind.PAUSE_AGENT,
            Kind.ZOMBIE,
            Kind.PAUSE_GUARDIAN,
            Kind.PAUSE_TOOL,
            Kind.PAUSE_ZOOKEEPER));
    groups.put("networks", EnumSet.range(Kind.CUT_ZOOKEEPER, Kind.CUT_HOST));
    groups.put("storages", EnumSet.range(Kind.HANG_STORAGE, Kind.WIPED_KEY));
    return groups;
  }
}
