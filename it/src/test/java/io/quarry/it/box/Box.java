package io.quarry.it.box;

import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.quarry.agent.dev.EmbeddedZooKeeper;
import io.quarry.agent.dev.LocalCluster;
import io.quarry.agent.dev.LocalClusterOptions;
import io.quarry.agent.dev.LocalHost;
import io.quarry.agent.dev.ZooKeeperProcess;
import io.quarry.common.api.ConnectRequest;
import io.quarry.common.api.CreateSnapshotRequest;
import io.quarry.common.api.CreateVirtualDiskRequest;
import io.quarry.common.api.CreatedImage;
import io.quarry.common.api.ImageOptions;
import io.quarry.common.api.ImageStatus;
import io.quarry.common.api.StatusQuery;
import io.quarry.common.client.ClientSettings;
import io.quarry.common.client.StorageClient;
import io.quarry.common.model.ImageState;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Clusters of real processes that share a ZooKeeper, and repositories that all their hosts reach.
 */
public final class Box implements AutoCloseable {
  public static final Duration PATIENCE = Duration.ofSeconds(90);
  private static final Duration LONG_SESSION = Duration.ofSeconds(15);

  private final Path directory;
  private final Optional<EmbeddedZooKeeper> zooKeeper;
  private final boolean shared;
  private final List<LocalCluster> clusters = new ArrayList<>();
  private final List<LocalHost> hosts = new ArrayList<>();
  private final List<StorageClient> clients = new ArrayList<>();
  private int names;

  private Box(Path directory, Optional<EmbeddedZooKeeper> zooKeeper, boolean shared) {
    this.directory = directory;
    this.zooKeeper = zooKeeper;
    this.shared = shared;
  }

  /** Hosts whose ZooKeeper runs in this JVM, which takes less than a process would. */
  public static Box start(LocalClusterOptions options) throws Exception {
    EmbeddedZooKeeper zooKeeper = EmbeddedZooKeeper.start(options.directory().resolve("zookeeper"));
    Box box = new Box(options.directory(), Optional.of(zooKeeper), false);
    box.add(options.withExternalZooKeeper(zooKeeper.connectString()));
    return box;
  }

  /** Hosts whose ZooKeeper is a process, which tests pause. */
  public static Box startWithZooKeeperProcess(LocalClusterOptions options) throws Exception {
    Box box = new Box(options.directory(), Optional.empty(), false);
    box.add(options);
    return box;
  }

  /** Adds hosts whose JVMs have these further options; their numbers follow the existing ones. */
  public void addOdd(String hostId, LocalClusterOptions like, String... javaOptions)
      throws Exception {
    List<String> all = new ArrayList<>(like.javaOptions());
    all.addAll(List.of(javaOptions));
    add(
        new LocalClusterOptions(
            1,
            directory.resolve(hostId),
            like.sessionTimeout(),
            Optional.of(connectString()),
            all,
            _ -> Map.of("hostId", hostId),
            List.of(),
            List.of()));
  }

  /**
   * Two hosts with these repositories, which agree on the SDM of each. The classes of a test JVM
   * share the hosts, one class after the other.
   */
  public static Box pair(Path directory, String... repositories) throws Exception {
    Box box = new Box(directory, Optional.empty(), true);
    box.use(SharedHosts.take());
    try {
      for (String repoId : repositories) {
        box.connect(repoId);
        box.awaitSdm(repoId, 0, 1);
      }
      return box;
    } catch (Exception | AssertionError e) {
      box.close();
      throw e;
    }
  }

  /**
   * Options for hosts that are killed: sessions outlive the agents, and guardians restart the
   * agents soon.
   */
  public static LocalClusterOptions mortal(Path directory, int hosts) {
    return LocalClusterOptions.in(directory)
        .withHosts(hosts)
        .withSessionTimeout(LONG_SESSION)
        .withGuardianArguments("--restart-pause-max", "PT0.2S");
  }

  private void add(LocalClusterOptions options) throws Exception {
    try {
      LocalCluster cluster = LocalCluster.start(options);
      use(cluster);
      cluster.awaitReady(PATIENCE);
    } catch (Exception e) {
      close();
      throw e;
    }
  }

  private void use(LocalCluster cluster) {
    clusters.add(cluster);
    for (LocalHost host : cluster.hosts()) {
      hosts.add(host);
      clients.add(new StorageClient(List.of(host.url())));
    }
  }

  public LocalHost host(int index) {
    return hosts.get(index);
  }

  public LocalHost host(String hostId) {
    return hosts.stream().filter(each -> each.hostId().equals(hostId)).findAny().orElseThrow();
  }

  public String connectString() {
    return clusters.getFirst().connectString();
  }

  /** The ZooKeeper of {@link #startWithZooKeeperProcess}; other boxes have no such process. */
  public ZooKeeperProcess zooKeeper() {
    return clusters.getFirst().zooKeeper();
  }

  public List<String> hostIds() {
    return hosts.stream().map(LocalHost::hostId).toList();
  }

  /** A client that calls that host's agent alone. */
  public StorageClient client(int index) {
    return clients.get(index);
  }

  public StorageClient client(String hostId) {
    return clients.get(hosts.indexOf(host(hostId)));
  }

  /**
   * A client that asks the first host. The client asks the second one under the same request id as
   * soon as the first host is dead, and not while that host stands still.
   */
  public StorageClient patientClient(String firstId, String secondId) {
    ClientSettings settings =
        new ClientSettings(
            PATIENCE,
            PATIENCE,
            ClientSettings.DEFAULT.lostTryOver(),
            ClientSettings.DEFAULT.requestIds(),
            ClientSettings.DEFAULT.jitter());
    return new StorageClient(List.of(host(firstId).url(), host(secondId).url()), settings);
  }

  public Path repository(String repoId) {
    return directory.resolve("storage").resolve(repoId);
  }

  /** Connects the repository on all hosts, the first host first, and creates it when it is new. */
  public void connect(String repoId) throws IOException {
    for (int host = 0; host < hosts.size(); host++) {
      connect(repoId, host);
    }
  }

  public void connect(String repoId, int host) throws IOException {
    Files.createDirectories(repository(repoId));
    connect(repoId, host, repository(repoId));
  }

  /** A name that no other repository of these hosts has. */
  public String newName() {
    names++;
    return "repository-" + names;
  }

  /** The name of a new repository, which all hosts have connected and whose SDM they agree on. */
  public String newRepository() throws IOException {
    String repoId = newName();
    connect(repoId);
    awaitSdm(repoId, IntStream.range(0, hosts.size()).toArray());
    return repoId;
  }

  /** Connects the repository on a host that has a path of its own to the directory. */
  public void connect(String repoId, int host, Path way) {
    client(host).createStorageRepository(at(repoId, way));
  }

  public static ConnectRequest at(String repoId, Path directory) {
    return new ConnectRequest(repoId, "localfs-1.0", Map.of("path", directory.toString()));
  }

  /** The SDM's host, once all the named hosts agree. */
  public String awaitSdm(String repoId, int... askedHosts) {
    return await()
        .atMost(PATIENCE)
        .ignoreExceptions()
        .until(
            () -> {
              @Nullable String agreed = sdm(repoId, askedHosts[0]);
              for (int host : askedHosts) {
                if (agreed == null || !agreed.equals(sdm(repoId, host))) {
                  return "";
                }
              }
              return agreed;
            },
            sdm -> !sdm.isEmpty());
  }

  private @Nullable String sdm(String repoId, int host) {
    return client(host).getStorageRepository(repoId).sdmHostId();
  }

  public static CreatedImage disk(StorageClient client, String repoId, long size) {
    return client.createVirtualDisk(repoId, newDisk(size, null, ImageOptions.DEFAULT), null);
  }

  public static CreateVirtualDiskRequest newDisk(
      long size, @Nullable String base, ImageOptions options) {
    return new CreateVirtualDiskRequest(size, base, JsonNodeFactory.instance.objectNode(), options);
  }

  public static CreatedImage snapshot(StorageClient client, String repoId, String disk) {
    return client.createSnapshot(
        repoId,
        new CreateSnapshotRequest(
            disk, JsonNodeFactory.instance.objectNode(), ImageOptions.DEFAULT),
        null);
  }

  public static ImageStatus awaitOptimized(StorageClient client, String repoId, String imageId) {
    return await()
        .atMost(PATIENCE.multipliedBy(2))
        .until(
            () ->
                client.getImageStatus(
                    repoId,
                    imageId,
                    new StatusQuery(Duration.ofSeconds(5), ImageState.OPTIMIZED, 0)),
            status -> status.state() == ImageState.OPTIMIZED);
  }

  /** Names of volume files. */
  public List<String> volumes(String repoId) throws IOException {
    return names(repository(repoId).resolve("volumes"));
  }

  public static List<String> names(Path directory) throws IOException {
    try (var entries = Files.list(directory)) {
      return entries.map(entry -> String.valueOf(entry.getFileName())).sorted().toList();
    }
  }

  @Override
  public void close() {
    if (shared) {
      SharedHosts.giveBack(clients);
      clients.forEach(StorageClient::close);
      return;
    }
    clients.forEach(StorageClient::close);
    clusters.reversed().forEach(LocalCluster::close);
    zooKeeper.ifPresent(EmbeddedZooKeeper::close);
  }
}
