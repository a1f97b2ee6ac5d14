package io.quarry.agent.lab;

import io.quarry.agent.cli.Exit;
import io.quarry.agent.cli.Facts;
import io.quarry.agent.cli.Main;
import io.quarry.agent.cli.Output;
import io.quarry.agent.cli.Units;
import io.quarry.agent.dev.LocalCluster;
import io.quarry.agent.dev.LocalClusterOptions;
import io.quarry.agent.dev.LocalHost;
import io.quarry.agent.dev.NewRepository;
import io.quarry.agent.guardian.PidFile;
import io.quarry.common.api.ConnectRequest;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.Json;
import io.quarry.common.api.StorageException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeoutException;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Runs a cluster on this machine until Ctrl-C. */
@Command(
    name = "dev",
    description = {
      "Runs a cluster on this machine until Ctrl-C.",
      "ZooKeeper, agents under guardians, and one repository 'main' that all of them share."
    },
    footer = {"", "Example:", "  quarry dev --hosts 2 --directory /srv/quarry-dev"})
final class DevCommand implements Callable<Integer> {
  private static final String REPOSITORY = "main";
  private static final Pattern PLAIN = Pattern.compile("[\\w./+-]+");
  private static final Duration START_MAX = Duration.ofMinutes(1);

  @Spec private CommandSpec spec = CommandSpec.create();

  @Option(names = "--hosts", paramLabel = "N", description = "How many hosts. Default: 3.")
  private int hosts = 3;

  @Option(
      names = "--directory",
      paramLabel = "DIR",
      description =
          "Where its data stays for the next time. Default: temporary, removed at the end.")
  private @Nullable Path directory;

  @Override
  public Integer call() throws IOException, InterruptedException {
    if (hosts < 1 || hosts > LocalClusterOptions.HOSTS_MAX) {
      throw new ParameterException(
          spec.commandLine(), "--hosts is 1 to " + LocalClusterOptions.HOSTS_MAX);
    }
    Path place =
        (directory == null ? Files.createTempDirectory("quarry-dev-") : directory)
            .toAbsolutePath()
            .normalize();
    // The hook is registered before the first process starts: Ctrl-C may come early.
    try (DirectoryLock _ = DirectoryLock.take(place);
        DevCluster cluster = new DevCluster(place, directory == null);
        CleanExit cleanExit = new CleanExit(spec.commandLine().getErr(), cluster::close)) {
      return cleanExit.unlessEnding(() -> run(cluster, place));
    }
  }

  private int run(DevCluster dev, Path place) throws IOException, InterruptedException {
    Main main = (Main) spec.root().userObject();
    Output output = main.output(spec.commandLine());
    output.remark(
        "starting ZooKeeper and %s in %s ..."
            .formatted(Units.count(hosts, "agent", "agents"), place));
    Map<String, Object> entry = NewRepository.at(REPOSITORY, place.resolve(REPOSITORY));
    LocalCluster cluster = dev.start(hosts, List.of(entry));
    try {
      cluster.awaitReady(START_MAX);
    } catch (TimeoutException e) {
      throw new StorageException(
          ErrorCode.INTERNAL, String.valueOf(e.getMessage()), "quarry dev", "See the log.", e);
    }
    ConnectRequest repository = Json.MAPPER.convertValue(entry, ConnectRequest.class);
    for (LocalHost host : cluster.hosts()) {
      main.api(List.of(host.url().toString())).connectStorageRepository(repository);
    }
    output.print(answer(cluster), () -> text(cluster, place));
    Thread.sleep(Duration.ofDays(Integer.MAX_VALUE));
    return Exit.DONE;
  }

  private static Map<String, String> answer(LocalCluster cluster) {
    return cluster.hosts().stream()
        .collect(Collectors.toMap(LocalHost::hostId, host -> host.url().toString()));
  }

  private static String text(LocalCluster cluster, Path place) {
    Facts facts = new Facts();
    cluster.hosts().forEach(host -> facts.fact(host.hostId(), host.url()));
    String agents =
        cluster.hosts().stream()
            .map(host -> host.url().toString())
            .collect(Collectors.joining(","));
    facts.fact("directory", place);
    Path pid = place.resolve(cluster.hosts().getFirst().hostId()).resolve(PidFile.AGENT);
    return facts
        + """

        In another terminal:
          export QUARRY_AGENTS=%s
          ./quarry host list
          ./quarry disk create %2$s 1G
          ./quarry image tree %2$s

        To see an agent die, and its guardian start the next:
          kill -9 $(cat %3$s)

        Ctrl-C ends it.
        """
            .formatted(agents, REPOSITORY, quoted(pid));
  }

  /** The path in a form that a shell reads. */
  private static String quoted(Path path) {
    String text = path.toString();
    return PLAIN.matcher(text).matches() ? text : "'" + text.replace("'", "'\\''") + "'";
  }
}
