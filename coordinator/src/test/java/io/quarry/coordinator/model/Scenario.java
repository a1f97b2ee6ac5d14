package io.quarry.coordinator.model;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * One configuration of a module of {@code src/test/tla}: its bounds, and the invariant that breaks
 * when one of the module's switches is off.
 *
 * @param statesMin distinct states that TLC has to find at least: a model in which hardly anything
 *     happens shows nothing
 * @param bounds values of those constants that are no switches
 * @param larger values for a long run
 * @param needed the switches that must stay on
 */
record Scenario(
    String module,
    String name,
    int statesMin,
    Map<String, String> bounds,
    Map<String, String> larger,
    List<Need> needed) {

  /**
   * @param switches that are off together; mostly one
   * @param violated the invariant that breaks without them
   */
  record Need(List<String> switches, String violated) {
    @Override
    public String toString() {
      return String.join(" and ", switches);
    }
  }

  static Scenario of(String module, String name, int statesMin, String bounds) {
    return new Scenario(module, name, statesMin, values(bounds), Map.of(), List.of());
  }

  /** The same scenario with other values of some bounds. */
  Scenario bounded(String values) {
    Map<String, String> all = new TreeMap<>(bounds);
    all.putAll(values(values));
    return new Scenario(module, name, statesMin, all, larger, needed);
  }

  /** The same scenario with other bounds in a long run. */
  Scenario larger(String values) {
    return new Scenario(module, name, statesMin, bounds, values(values), needed);
  }

  /** Each of the switches, off alone, leads to that violation. */
  Scenario without(String violated, String... switches) {
    List<Need> all = new ArrayList<>(needed);
    Arrays.stream(switches).forEach(one -> all.add(new Need(List.of(one), violated)));
    return new Scenario(module, name, statesMin, bounds, larger, List.copyOf(all));
  }

  /** Each of the switches makes up for the other; without both, that invariant breaks. */
  Scenario withoutBoth(String violated, String one, String other) {
    List<Need> all = new ArrayList<>(needed);
    all.add(new Need(List.of(one, other), violated));
    return new Scenario(module, name, statesMin, bounds, larger, List.copyOf(all));
  }

  private static Map<String, String> values(String text) {
    Map<String, String> values = new TreeMap<>();
    for (String pair : text.split(" ", -1)) {
      int at = pair.indexOf('=');
      values.put(pair.substring(0, at), pair.substring(at + 1));
    }
    return values;
  }

  @Override
  public String toString() {
    return module + ", " + name;
  }
}
