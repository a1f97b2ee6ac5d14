package io.quarry.coordinator.model;

import static org.assertj.core.api.Assertions.assertThat;

import io.quarry.coordinator.model.KnownResults.Known;
import io.quarry.coordinator.model.Scenario.Need;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The protocols, checked by TLC in all orders of events within small bounds. A defence is needless,
 * or its model is too coarse, if the model holds without it. So the test switches off each defence,
 * and TLC has to find a violation.
 */
class ModelsTest {
  /** {@code ./verify tla --large} uses larger bounds, and checks only that the invariants hold. */
  private static final boolean LARGE = Boolean.getBoolean("quarry.largeModels");

  /** {@code ./verify} skips models that have not changed since their results were written. */
  private static final boolean CHANGED = "changed".equals(System.getProperty("quarry.models"));

  /** Writes the results after a change of a model. */
  private static final boolean WRITE = "write".equals(System.getProperty("quarry.models"));

  private static final Map<String, Known> FOUND = new ConcurrentHashMap<>();

  private static final Duration WITHIN = LARGE ? Duration.ofHours(2) : Duration.ofMinutes(3);

  @TempDir Path directory;

  static List<Scenario> scenarios() {
    return Scenarios.all();
  }

  static Stream<Arguments> needs() {
    return LARGE
        ? Stream.of()
        : scenarios().stream()
            .flatMap(
                scenario -> scenario.needed().stream().map(need -> Arguments.of(scenario, need)));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("scenarios")
  void holds(Scenario scenario) throws IOException, InterruptedException {
    Map<String, String> values = LARGE ? scenario.larger() : Map.of();

    Known found = check(scenario, values, List.of());

    assertThat(found.violated()).isNull();
    assertThat(found.states()).isGreaterThan(scenario.statesMin());
  }

  @ParameterizedTest(name = "{0}: {1}", allowZeroInvocations = true)
  @MethodSource("needs")
  void isViolatedWithout(Scenario scenario, Need need) throws IOException, InterruptedException {
    Known found = check(scenario, Map.of(), need.switches());

    assertThat(found.violated()).isEqualTo(need.violated());
  }

  @Test
  void eachSwitchIsSwitchedOff() throws IOException {
    for (String name : Module.all()) {
      List<Scenario> scenarios =
          scenarios().stream().filter(scenario -> scenario.module().equals(name)).toList();
      assertThat(scenarios).as(name).isNotEmpty();
      Set<String> tried =
          scenarios.stream()
              .flatMap(scenario -> scenario.needed().stream())
              .flatMap(need -> need.switches().stream())
              .collect(Collectors.toSet());
      assertThat(Module.read(name).switches(scenarios.getFirst()))
          .as(name)
          .containsExactlyInAnyOrderElementsOf(tried);
    }
  }

  private Known check(Scenario scenario, Map<String, String> values, List<String> off)
      throws IOException, InterruptedException {
    Module module = Module.read(scenario.module());
    String configuration = module.configuration(scenario, values, off);
    String hash = KnownResults.hash(module, configuration);
    Known known = WRITE ? null : KnownResults.read().of(hash);
    if (CHANGED && known != null) {
      return known;
    }
    Tlc.Result result = new Tlc(directory, !off.isEmpty()).check(module, configuration, WITHIN);
    assertThat(result.violated() != null || result.states() > 0).as(result.output()).isTrue();
    Known found = new Known(result.violated(), result.states());
    FOUND.put(hash, found);
    if (!CHANGED && !WRITE && !LARGE) {
      assertThat(known)
          .as(
              "the known result of %s without %s; write it with ./verify tla --write",
              scenario, off)
          .isEqualTo(found);
    }
    return found;
  }

  @AfterAll
  static void write() throws IOException {
    if (WRITE) {
      KnownResults.write(FOUND);
    }
  }
}
