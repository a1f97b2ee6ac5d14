package io.quarry.agent.lab;

import io.quarry.agent.chaos.Chaos;
import io.quarry.agent.chaos.ChaosOptions;
import io.quarry.agent.chaos.ChaosReport;
import io.quarry.agent.chaos.Fault;
import io.quarry.agent.chaos.FaultNames;
import io.quarry.agent.chaos.LocalArena;
import io.quarry.agent.chaos.ReportText;
import io.quarry.agent.cli.BadUsage;
import io.quarry.agent.cli.Exit;
import io.quarry.agent.cli.Main;
import io.quarry.agent.cli.Output;
import io.quarry.agent.cli.Span;
import io.quarry.agent.demo.DemoFailure;
import io.quarry.agent.demo.WorkPlace;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/**
 * {@code quarry chaos}: kills processes of a cluster again and again, and checks the cluster's
 * promises.
 */
@Command(
    name = "chaos",
    description = {
      "Kills and pauses a cluster's processes while many clients use it, and judges the outcome.",
      "Starts agents and a ZooKeeper on this machine, with two new repositories in a directory of"
          + " yours. Agents, guardians, QEMU's tools and ZooKeeper are killed, paused and wiped, as"
          + " the seed decides; the order of real threads and processes it cannot decide. When the"
          + " faults are over, the cluster has to come to rest, each answer must agree with the"
          + " logs, and each byte with what guests wrote."
    },
    footer = {"", "Example:", "  quarry chaos --seed 7 --duration 5m --directory /srv/scratch"})
final class ChaosCommand implements Callable<Integer> {
  private static final Duration DURATION = Duration.ofMinutes(1);
  private static final int HOSTS = 3;
  private static final int CLIENTS = 6;

  @Spec private CommandSpec spec = CommandSpec.create();

  @Option(
      names = "--seed",
      paramLabel = "N",
      description = "Decides faults and calls. Default: another one each time.")
  private @Nullable Long seed;

  @Option(
      names = "--duration",
      paramLabel = "TIME",
      converter = Span.class,
      description = "How long faults go on: 90s, 5m. Default: 1m.")
  private Duration duration = DURATION;

  @Option(
      names = "--hosts",
      paramLabel = "K",
      description = "How many hosts. Default: " + HOSTS + ".")
  private int hosts = HOSTS;

  @Option(
      names = "--clients",
      paramLabel = "N",
      description = "How many call at the same time. Default: " + CLIENTS + ".")
  private int clients = CLIENTS;

  @Option(
      names = "--pace",
      paramLabel = "TIME",
      converter = Span.class,
      description = "Between two faults, on average; at least 100ms. Default: 1500ms.")
  private Duration pace = ChaosOptions.PACE;

  @Option(
      names = "--faults",
      paramLabel = "KINDS",
      description =
          "What may strike: kills, pauses, all, or names as in the report, separated by commas."
              + " Default: all.")
  private String faults = "all";

  @Option(
      names = "--directory",
      paramLabel = "DIR",
      description = "An empty or new directory to work in. Default: a temporary one.")
  private @Nullable Path directory;

  @Option(names = "--keep", description = "Leave the directory with images and logs.")
  private boolean keep;

  @Override
  public Integer call() throws IOException, InterruptedException {
    Main main = (Main) spec.root().userObject();
    Output output = main.output(spec.commandLine());
    ChaosOptions options = options();
    WorkPlace place = place(options);
    boolean clean = !options.keep();
    output.remark("seed " + options.seed() + ", in " + place.directory());
    try (Chaos.Local chaos = new Chaos.Local();
        CleanExit cleanExit = new CleanExit(output.err(), chaos::close)) {
      ChaosReport report =
          cleanExit.unlessEnding(() ->
              chaos.run(
                  options, place.directory(), moment -> output.early(ReportText.moment(moment))));
      output.print(report, () -> ReportText.of(report));
      clean &= report.violations().isEmpty();
      if (!report.violations().isEmpty()) {
        output.remark("Logs and images are in " + place.directory());
      }
      return report.violations().isEmpty() ? Exit.DONE : Exit.FAILED;
    } finally {
      if (clean) {
        place.clean();
      }
    }
  }

  private WorkPlace place(ChaosOptions options) throws IOException {
    try {
      return WorkPlace.prepare(options.directory());
    } catch (DemoFailure e) {
      throw new BadUsage(
          spec.commandLine(), String.valueOf(e.getMessage()), String.valueOf(e.remedy()));
    }
  }

  private Set<Fault.Kind> faults() {
    Set<Fault.Kind> chosen = FaultNames.parse(faults);
    chosen.retainAll(LocalArena.everything());
    if (chosen.isEmpty()) {
      throw new IllegalArgumentException(
          "'" + faults + "' strikes networks and storages, and here only processes fail");
    }
    return chosen;
  }

  private ChaosOptions options() {
    try {
      return new ChaosOptions(
          seed == null ? System.nanoTime() & 0xffff_ffffL : seed,
          duration,
          hosts,
          clients,
          pace,
          faults(),
          directory,
          keep);
    } catch (IllegalArgumentException e) {
      throw new ParameterException(spec.commandLine(), String.valueOf(e.getMessage()), e);
    }
  }
}
