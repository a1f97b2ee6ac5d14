package io.quarry.agent.chaos;

import io.quarry.agent.dev.ClassArchive;
import io.quarry.agent.dev.LocalCluster;
import io.quarry.agent.dev.LocalClusterOptions;
import io.quarry.agent.dev.LocalHost;
import io.quarry.agent.dev.NewRepository;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/** Agents, guardians and a ZooKeeper as processes of this machine, over directories. */
public final class LocalArena implements Arena {
  /** After this time a sleeping worker counts as lost. */
  static final Duration SESSION = Duration.ofSeconds(3);

  public static final List<String> REPOSITORIES = List.of("main", "backup");

  /** So slow that faults can strike during copies. */
  private static final long BYTES_PER_SECOND = 8L << 20;

  private static final Duration READY_MAX = Duration.ofMinutes(2);

  private final Path directory;
  private final LocalCluster cluster;
  private final List<String> missing;
  private final ProcessFaults processes;
  private final IdentityFaults identity;
  private final ForeignWriter foreign;

  private LocalArena(Path directory, LocalCluster cluster, StoragePaths ways, List<String> missing)
      throws IOException {
    this.missing = List.copyOf(missing);
    this.directory = directory;
    this.cluster = cluster;
    this.processes =
        new ProcessFaults(cluster.hosts(), ZooKeepers.of(List.of(cluster.zooKeeper())));
    Path storage = storage(directory);
    this.identity =
        new IdentityFaults(storage, REPOSITORIES, directory.resolve("copy"), ways, cluster.hosts());
    this.foreign =
        new ForeignWriter(REPOSITORIES.stream().map(storage::resolve).toList(), isRoot());
  }

  /**
   * @param missing the faults that cannot be tried here, and why
   */
  public static LocalArena start(Path directory, int hosts, List<String> missing)
      throws IOException, InterruptedException {
    for (String repository : REPOSITORIES) {
      var _ = NewRepository.at(repository, storage(directory).resolve(repository));
    }
    Map<String, Path> storages = new HashMap<>();
    for (int number = 1; number <= hosts; number++) {
      storages.put("host-" + number, storage(directory));
    }
    StoragePaths ways = StoragePaths.make(directory.resolve("ways"), storages);
    Map<String, String> parameters = Map.of();
    if (isRoot()) {
      // The foreign process is another user, and has access through the group.
      Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxr-xr-x"));
      parameters = Map.of("group", Integer.toString(ForeignWriter.NOBODY));
    }
    Map<String, String> connection = parameters;
    LocalClusterOptions options =
        options(directory)
            .withHosts(hosts)
            .withConfigOfHost(hostId -> agentConfig(ways.of(hostId), connection));
    LocalCluster cluster = LocalCluster.start(ClassArchive.usedBy(options, directory));
    LocalArena arena;
    try {
      arena = new LocalArena(directory, cluster, ways, missing);
    } catch (IOException failure) {
      cluster.close();
      throw failure;
    }
    try {
      arena.heal();
      return arena;
    } catch (IOException | InterruptedException | RuntimeException failure) {
      arena.close();
      throw failure;
    }
  }

  private static Path storage(Path directory) {
    return directory.resolve("storage");
  }

  /** Options for hosts whose guardians restart agents soon. */
  public static LocalClusterOptions options(Path directory) {
    return LocalClusterOptions.in(directory.resolve("cluster"))
        .withSessionTimeout(SESSION)
        .withGuardianArguments("--restart-pause-max", "PT0.2S");
  }

  private static boolean isRoot() {
    return "root".equals(System.getProperty("user.name"));
  }

  /**
   * Fields of each agent's configuration for a storage that is mounted there.
   *
   * @param parameters of each connection, beside the path
   */
  public static Map<String, Object> agentConfig(Path storage, Map<String, String> parameters) {
    return Map.of(
        "throttleBytesPerSecond",
        BYTES_PER_SECOND,
        "repositories",
        REPOSITORIES.stream()
            .map(repository ->
                NewRepository.entry(repository, storage.resolve(repository), parameters))
            .toList());
  }

  @Override
  public List<Member> members() {
    return cluster.hosts().stream().map(host -> new Member(host.hostId(), host.url())).toList();
  }

  /** The kinds of faults that every such arena can cause. */
  public static Set<Fault.Kind> everything() {
    Set<Fault.Kind> kinds = ProcessFaults.possible(1);
    kinds.addAll(IdentityFaults.KINDS);
    kinds.add(Fault.Kind.FOREIGN_WRITER);
    return kinds;
  }

  @Override
  public Set<Fault.Kind> possible() {
    return everything();
  }

  @Override
  public List<String> missing() {
    return missing;
  }

  @Override
  public @Nullable Strike strike(Fault fault, Set<String> busy, Sights sights)
      throws IOException, InterruptedException {
    if (IdentityFaults.KINDS.contains(fault.kind())) {
      return identity.strike(fault, processes.any(fault, busy), busy, sights);
    }
    return fault.kind() == Fault.Kind.FOREIGN_WRITER
        ? foreign.strike(fault, sights)
        : processes.strike(fault, busy, sights);
  }

  @Override
  public void reboot(String hostId) throws IOException, InterruptedException {
    processes.reboot(hostId);
    heal();
  }

  @Override
  public void heal() throws IOException, InterruptedException {
    awaitReady(cluster.hosts());
  }

  public static void awaitReady(List<LocalHost> hosts) throws IOException, InterruptedException {
    try {
      for (LocalHost host : hosts) {
        host.awaitReady(READY_MAX);
      }
    } catch (TimeoutException e) {
      throw new IOException(e.getMessage(), e);
    }
  }

  @Override
  public Path storage(String repoId) {
    return storage(directory).resolve(repoId);
  }

  @Override
  public boolean overwrites(Path volume) throws IOException {
    return foreign.overwrites(volume);
  }

  @Override
  public Path logs() {
    return directory.resolve("cluster");
  }

  @Override
  public void close() {
    cluster.close();
  }
}
