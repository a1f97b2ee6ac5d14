package io.quarry.it.chaos;

import io.quarry.agent.chaos.Arena;
import io.quarry.agent.chaos.Fault;
import io.quarry.agent.chaos.IdentityFaults;
import io.quarry.agent.chaos.LocalArena;
import io.quarry.agent.chaos.ProcessFaults;
import io.quarry.agent.chaos.StoragePaths;
import io.quarry.agent.dev.ClassArchive;
import io.quarry.agent.dev.LocalCluster;
import io.quarry.agent.dev.LocalClusterOptions;
import io.quarry.agent.dev.LocalHost;
import io.quarry.agent.dev.NewRepository;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Hosts with networks of their own and separate paths to the storage, and three ZooKeepers. The
 * connections between them can fail, too.
 */
final class NetworkArena implements Arena {
  private static final int ZOOKEEPERS = 3;
  private static final int PORT = 7400;
  private static final int SLOW_MICROS = 250_000;
  private static final String STORAGE = "storage";

  private final Path directory;
  private final Network network;
  private final Storage storage;
  private final Ensemble ensemble;
  private final List<String> zooKeepers;
  private final List<LocalCluster> clusters = new ArrayList<>();
  private final List<LocalHost> hosts = new ArrayList<>();
  private final ProcessFaults processes;
  private final StoragePaths ways;
  private final IdentityFaults identity;

  private NetworkArena(
      Path directory,
      Network network,
      Storage storage,
      Ensemble ensemble,
      List<String> zooKeepers,
      List<String> hostIds)
      throws IOException, InterruptedException {
    this.directory = directory;
    this.network = network;
    this.storage = storage;
    this.ensemble = ensemble;
    this.zooKeepers = zooKeepers;
    Map<String, Path> storages = new HashMap<>();
    hostIds.forEach(hostId -> storages.put(hostId, storage.of(hostId)));
    this.ways = StoragePaths.make(directory.resolve("ways"), storages);
    LocalClusterOptions plain =
        LocalArena.options(directory).withExternalZooKeeper(ensemble.connectString());
    LocalClusterOptions options =
        plain.withJavaOptions(
            ClassArchive.usedBy(LocalArena.options(directory), directory)
                .javaOptions()
                .toArray(String[]::new));
    for (String hostId : hostIds) {
      LocalCluster cluster = LocalCluster.start(of(hostId, options));
      clusters.add(cluster);
      hosts.addAll(cluster.hosts());
    }
    this.processes = new ProcessFaults(hosts, ensemble);
    Path xfs = directory.resolve("xfs");
    this.identity =
        new IdentityFaults(xfs, LocalArena.REPOSITORIES, xfs.resolve("copy"), ways, hosts);
  }

  static NetworkArena start(Path directory, int hosts) throws Exception {
    List<String> hostIds = IntStream.rangeClosed(1, hosts).mapToObj(n -> "host-" + n).toList();
    List<String> zooKeepers =
        IntStream.rangeClosed(1, ZOOKEEPERS).mapToObj(n -> "zookeeper-" + n).toList();
    List<String> all = new ArrayList<>(hostIds);
    all.addAll(zooKeepers);
    List<AutoCloseable> made = new ArrayList<>();
    try {
      Storage storage = Storage.mount(directory, hostIds);
      made.add(storage);
      for (String repository : LocalArena.REPOSITORIES) {
        var _ = NewRepository.at(repository, directory.resolve("xfs").resolve(repository));
      }
      Network network = Network.of(all);
      made.add(network);
      Ensemble ensemble = Ensemble.start(network, zooKeepers, directory.resolve("zookeepers"));
      made.add(ensemble);
      NetworkArena arena =
          new NetworkArena(directory, network, storage, ensemble, zooKeepers, hostIds);
      made.add(() -> arena.clusters.forEach(LocalCluster::close));
      arena.heal();
      return arena;
    } catch (Exception | AssertionError failure) {
      for (AutoCloseable each : made.reversed()) {
        each.close();
      }
      throw failure;
    }
  }

  private LocalClusterOptions of(String hostId, LocalClusterOptions options) {
    Map<String, Object> config = new HashMap<>(LocalArena.agentConfig(ways.of(hostId), Map.of()));
    config.put("hostId", hostId);
    config.put("listen", network.address(hostId) + ":" + PORT);
    return new LocalClusterOptions(
        1,
        logs().resolve(hostId),
        options.sessionTimeout(),
        options.externalZooKeeper(),
        options.javaOptions(),
        _ -> config,
        options.guardianArguments(),
        network.launcher(hostId));
  }

  @Override
  public List<Member> members() {
    return hosts.stream().map(host -> new Member(host.hostId(), host.url())).toList();
  }

  @Override
  public Set<Fault.Kind> possible() {
    Set<Fault.Kind> kinds = EnumSet.copyOf(processes.possible());
    kinds.addAll(EnumSet.range(Fault.Kind.CUT_ZOOKEEPER, Fault.Kind.CUT_POWER));
    return kinds;
  }

  @Override
  public List<String> missing() {
    return List.of();
  }

  @Override
  public @Nullable Strike strike(Fault fault, Set<String> busy, Sights sights)
      throws IOException, InterruptedException {
    if (busy.contains(ProcessFaults.EVERYTHING)) {
      return null;
    }
    if (processes.possible().contains(fault.kind())) {
      return processes.strike(fault, busy, sights);
    }
    if (fault.kind() == Fault.Kind.CUT_POWER) {
      return busy.isEmpty() ? cutPower() : null;
    }
    LocalHost victim = processes.any(fault, busy);
    if (IdentityFaults.KINDS.contains(fault.kind())) {
      return identity.strike(fault, victim, busy, sights);
    }
    if (victim == null) {
      return null;
    }
    return switch (fault.kind()) {
      case CUT_ZOOKEEPER, CUT_AGENTS, CUT_ONE_WAY, CUT_HOST -> cut(fault, victim.hostId());
      default -> spoil(fault, victim.hostId());
    };
  }

  private Strike cut(Fault fault, String hostId) throws IOException, InterruptedException {
    List<String> others =
        hosts.stream().map(LocalHost::hostId).filter(each -> !each.equals(hostId)).toList();
    List<String> all = new ArrayList<>(others);
    all.addAll(zooKeepers);
    String what =
        switch (fault.kind()) {
          case CUT_ZOOKEEPER -> {
            network.cut(hostId, zooKeepers);
            yield hostId + " is cut off from ZooKeeper";
          }
          case CUT_AGENTS -> {
            String other = others.get(fault.roll() % others.size());
            network.cut(hostId, List.of(other));
            yield hostId + " is cut off from " + other;
          }
          case CUT_ONE_WAY -> {
            network.cutOut(hostId, all);
            yield hostId + " is not heard any more";
          }
          default -> {
            network.isolate(hostId);
            yield hostId + " is cut off from all others";
          }
        };
    return Strike.lasting(what, Set.of(hostId), fault.lasts(), () -> network.heal(hostId));
  }

  private Strike spoil(Fault fault, String hostId) throws IOException, InterruptedException {
    Set<String> busy = Set.of(hostId, STORAGE + " of " + hostId);
    return switch (fault.kind()) {
      case HANG_STORAGE -> {
        storage.hang(hostId);
        yield Strike.lasting(
            "the storage of " + hostId + " hangs", busy, fault.lasts(), () -> storage.goOn(hostId));
      }
      case SLOW_STORAGE ->
          injected(
              fault,
              busy,
              "the storage of " + hostId + " is slow",
              storage.slow(hostId, SLOW_MICROS));
      case FAIL_STORAGE ->
          injected(
              fault,
              busy,
              "the storage of " + hostId + " fails",
              storage.fail(hostId, fault.roll() % 2 == 0));
      case FULL_STORAGE ->
          injected(fault, busy, "the storage of " + hostId + " is full", storage.full(hostId));
      default -> throw new IllegalArgumentException(fault.kind() + " is not of the storage");
    };
  }

  private static Strike injected(Fault fault, Set<String> busy, String what, Process injection) {
    return Strike.lasting(
        what,
        busy,
        fault.lasts(),
        () -> {
          injection.destroy();
          injection.waitFor();
        });
  }

  /** Cuts the power of all hosts and ZooKeepers at once; ZooKeeper keeps what it has forced. */
  private Strike cutPower() throws IOException, InterruptedException {
    storage.cutPower();
    String[] all = hosts.stream().map(LocalHost::hostId).toArray(String[]::new);
    hosts.forEach(LocalHost::killHost);
    for (int node = 0; node < ensemble.size(); node++) {
      ensemble.kill(node);
    }
    return Strike.lasting(
            "the power fails",
            Set.of(ProcessFaults.EVERYTHING),
            Duration.ofMillis(200),
            this::restorePower)
        .killing(ProcessFaults.GUARDIAN_AND_AGENT * all.length + ensemble.size(), all);
  }

  private void restorePower() throws IOException, InterruptedException {
    try {
      storage.restorePower();
    } catch (IOException | InterruptedException e) {
      throw e;
    } catch (Exception e) {
      throw new IOException(e.getMessage(), e);
    }
    for (int node = 0; node < ensemble.size(); node++) {
      ensemble.start(node);
    }
    for (LocalHost host : hosts) {
      host.start();
    }
  }

  @Override
  public void reboot(String hostId) throws IOException, InterruptedException {
    processes.reboot(hostId);
    heal();
  }

  @Override
  public void heal() throws IOException, InterruptedException {
    LocalArena.awaitReady(hosts);
  }

  @Override
  public Path storage(String repoId) {
    return directory.resolve("xfs").resolve(repoId);
  }

  /** All processes here run as root, which no mode stops. */
  @Override
  public boolean overwrites(Path volume) {
    return false;
  }

  @Override
  public Path logs() {
    return directory.resolve("cluster");
  }

  @Override
  public void close() {
    clusters.forEach(LocalCluster::close);
    ensemble.close();
    try {
      network.close();
      storage.close();
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }
}
