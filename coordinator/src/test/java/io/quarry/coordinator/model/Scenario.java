package io.quarry.coordinator.model;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * One way to look at a module of {@code src/test/tla}: how large it is, and what goes wrong in it
 * when one of the module's switches is off.
 *
 * @param statesMin distinct states that TLC has to find at least: a model in which hardly anything
 *     happens shows nothing
 * @param bounds values of those constants that are no switches
 * @param larger values for a long run
 * @param needed what must not be switched off
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
   * @param violated the invariant that does not hold then
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

  /** Some of the bounds are others. */
  Scenario bounded(String values) {
    Map<String, String> all = new TreeMap<>(bounds);
    all.putAll(values(values));
    return new Scenario(module, name, statesMin, all, larger, needed);
  }

  /** What changes in a long run. */
  Scenario larger(String values) {
    return new Scenario(module, name, statesMin, bounds, values(values), needed);
  }

  /** Each of them alone leads to that violation. */
  Scenario without(String violated, String... switches) {
    List<Need> all = new ArrayList<>(needed);
    Arrays.stream(switches).forEach(one -> all.add(new Need(List.of(one), violated)));
    return new Scenario(module, name, statesMin, bounds, larger, List.copyOf(all));
  }

  /** They make up for each other; without both of them it goes wrong. */
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
