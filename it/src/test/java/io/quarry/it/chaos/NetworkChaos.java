package io.quarry.it.chaos;

import io.quarry.agent.chaos.Arena;
import io.quarry.agent.chaos.ChaosOptions;
import io.quarry.agent.chaos.ChaosReport;
import io.quarry.agent.chaos.Fault;
import io.quarry.agent.chaos.FaultNames;
import io.quarry.agent.chaos.LocalArena;
import io.quarry.agent.chaos.ReportText;
import io.quarry.agent.dev.DeleteTree;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * {@code ./verify chaos}: one run after the other, each with the next seed. Networks and storages
 * fail, too, where the machine permits private ones.
 */
@SuppressWarnings("SystemOut")
final class NetworkChaos {
  private static final String USAGE =
      """
      Usage: ./verify chaos [--seed N] [--duration SECONDS] [--hosts K] [--clients N] [--runs N]
                            [--pace MILLISECONDS] [--faults KINDS] [--local]
      Kills, pauses, cuts off and spoils the parts of a cluster while clients use it, and judges
      the outcome. Runs with the seeds N, N+1, ... With --local, and where this machine permits no
      network namespaces and mounts, only processes fail. What may strike is everything, or what
      --faults names, separated by commas: kills, pauses, networks, storages, or kinds as in the
      report. It ends with what all runs came to.
      """;
  private static final int BAD_USAGE = 2;

  private final Map<String, Long> numbers = new HashMap<>();
  private boolean local;
  private Set<Fault.Kind> faults = FaultNames.parse("all");

  public static void main(String[] arguments) throws Exception {
    if (List.of(arguments).contains("--help")) {
      System.out.print(USAGE);
      return;
    }
    NetworkChaos chaos = new NetworkChaos();
    try {
      chaos.parse(arguments);
    } catch (IllegalArgumentException e) {
      System.err.println(e.getMessage());
      System.err.print(USAGE);
      System.exit(BAD_USAGE);
    }
    boolean kept;
    try (EarlyEnd _ = EarlyEnd.of(Thread.currentThread())) {
      kept = chaos.runs();
    } catch (InterruptedException e) {
      // The cluster is taken down, and the process ends as it was told to.
      return;
    }
    System.exit(kept ? 0 : 1);
  }

  private void parse(String[] arguments) {
    numbers.putAll(
        Map.of("--seed", 1L, "--duration", 60L, "--hosts", 4L, "--clients", 8L, "--runs", 1L));
    numbers.put("--pace", ChaosOptions.PACE.toMillis());
    for (int i = 0; i < arguments.length; i++) {
      if (arguments[i].equals("--local")) {
        local = true;
      } else if (arguments[i].equals("--faults") && i + 1 < arguments.length) {
        faults = FaultNames.parse(arguments[++i]);
      } else if (numbers.containsKey(arguments[i]) && i + 1 < arguments.length) {
        numbers.put(arguments[i], number(arguments[++i]));
      } else {
        throw new IllegalArgumentException("Unknown option, or no value: " + arguments[i]);
      }
    }
    var _ = options(number("--seed", 1), Path.of(""));
  }

  /** Also takes durations as {@code quarry chaos} does: 90s, 5m. */
  private static long number(String text) {
    return text.endsWith("m")
        ? 60 * Long.parseLong(text.substring(0, text.length() - 1))
        : Long.parseLong(text.endsWith("s") ? text.substring(0, text.length() - 1) : text);
  }

  private long number(String option, long unit) {
    return numbers.getOrDefault(option, 0L) * unit;
  }

  private boolean runs() throws Exception {
    List<ChaosReport> reports = new ArrayList<>();
    for (long run = 0; run < number("--runs", 1); run++) {
      reports.add(run(number("--seed", 1) + run));
    }
    System.out.printf(
        "runs: %d, faults: %d, kills: %d, killed processes: %d, zombies: %d, calls: %d,"
            + " acknowledged: %d, violations: %d%n",
        reports.size(),
        reports.stream().mapToInt(ChaosReport::faultsInAll).sum(),
        reports.stream().mapToInt(ChaosReport::kills).sum(),
        reports.stream().mapToInt(ChaosReport::killed).sum(),
        reports.stream().mapToInt(ChaosReport::zombies).sum(),
        reports.stream().mapToInt(ChaosReport::callsInAll).sum(),
        reports.stream().mapToInt(ChaosReport::acknowledged).sum(),
        reports.stream().mapToInt(report -> report.violations().size()).sum());
    return reports.stream().allMatch(report -> report.violations().isEmpty());
  }

  private ChaosOptions options(long seed, Path directory) {
    return new ChaosOptions(
        seed,
        Duration.ofSeconds(number("--duration", 1)),
        (int) number("--hosts", 1),
        (int) number("--clients", 1),
        Duration.ofMillis(number("--pace", 1)),
        faults,
        directory,
        false);
  }

  private ChaosReport run(long seed) throws Exception {
    Path directory = Files.createTempDirectory("quarry-chaos-");
    ChaosOptions options = options(seed, directory);
    System.out.println("seed " + seed + ", in " + directory);
    ChaosReport report;
    try (Arena arena = arena(directory, options.hosts())) {
      report =
          new io.quarry.agent.chaos.Chaos(
                  options, moment -> System.out.println(ReportText.moment(moment)))
              .run(arena, LocalArena.REPOSITORIES, directory.resolve("scratch"));
    } catch (InterruptedException e) {
      DeleteTree.of(directory);
      throw e;
    }
    System.out.print(ReportText.of(report));
    if (report.violations().isEmpty()) {
      DeleteTree.of(directory);
    }
    return report;
  }

  private Arena arena(Path directory, int hosts) throws IOException, InterruptedException {
    if (local) {
      return LocalArena.start(directory, hosts, List.of("networks and storages: --local"));
    }
    try {
      return NetworkArena.start(directory, hosts);
    } catch (InterruptedException e) {
      throw e;
    } catch (Exception | AssertionError e) {
      String why = String.valueOf(e.getMessage()).lines().findFirst().orElse("");
      return LocalArena.start(
          directory, hosts, List.of("networks and storages that fail: not permitted here: " + why));
    }
  }
}
