package io.quarry.agent;

import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.quarry.common.api.ConnectRequest;
import io.quarry.common.api.CopyImageRequest;
import io.quarry.common.api.CreateSnapshotRequest;
import io.quarry.common.api.CreateVirtualDiskRequest;
import io.quarry.common.api.ImageOptions;
import io.quarry.common.api.ImageStatus;
import io.quarry.common.api.StatusQuery;
import io.quarry.common.client.StorageClient;
import io.quarry.common.model.ImageState;
import io.quarry.coordinator.cluster.LocalZooKeeper;
import io.quarry.coordinator.thread.Supervisor;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Whole agents in this process, which share a ZooKeeper and repositories: real logs, files, QEMU
 * tools and HTTP. A test can stop the agents at any fault point.
 */
public final class AgentsUnderTest implements AutoCloseable {
  public static final Duration PATIENCE = Duration.ofSeconds(60);

  private final Path directory;
  private final LocalZooKeeper zooKeeper;
  private final List<Agent> agents = new ArrayList<>();
  private final List<StorageClient> clients = new ArrayList<>();

  private AgentsUnderTest(Path directory) throws Exception {
    this.directory = directory;
    this.zooKeeper = new LocalZooKeeper();
  }

  /** Starts that many agents, with all the repositories connected and led. */
  public static AgentsUnderTest start(Path directory, int agents, String... repositories)
      throws Exception {
    AgentsUnderTest all = new AgentsUnderTest(directory);
    try {
      for (int number = 0; number < agents; number++) {
        all.add("host-" + number);
      }
      for (String repoId : repositories) {
        all.connect(repoId);
      }
      return all;
    } catch (Exception | AssertionError e) {
      all.close();
      throw e;
    }
  }

  private void add(String hostId) throws Exception {
    add(hostId, null);
  }

  /**
   * Starts one more agent.
   *
   * @param advertise null for the address on which the agent listens
   */
  public void add(String hostId, @Nullable URI advertise) throws Exception {
    String listen = "127.0.0.1:" + freePort();
    URI url = URI.create("http://" + listen);
    Agent agent =
        new Agent(
            new AgentConfig(
                hostId,
                listen,
                advertise == null ? url : advertise,
                zooKeeper.connectString(),
                AgentConfig.SESSION_TIMEOUT,
                directory.resolve(hostId).toAbsolutePath(),
                List.of(),
                0,
                AgentConfig.UPLOAD_IDLE_TIMEOUT,
                AgentConfig.HEAVY_FIXES,
                AgentConfig.Server.DEFAULT),
            Optional.empty(),
            new Supervisor());
    agents.add(agent);
    agent.start();
    clients.add(new StorageClient(List.of(url)));
  }

  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }

  private void connect(String repoId) throws Exception {
    Files.createDirectories(repository(repoId));
    for (StorageClient client : clients) {
      client.createStorageRepository(
          new ConnectRequest(repoId, "localfs-1.0", Map.of("path", repository(repoId).toString())));
    }
    for (StorageClient client : clients) {
      await().atMost(PATIENCE).until(() -> client.getStorageRepository(repoId).sdmHostId() != null);
    }
  }

  /** Ends ZooKeeper; the agents continue without it. */
  public void loseZooKeeper() {
    zooKeeper.close();
  }

  /** A client that calls that agent alone. */
  public StorageClient client(int agent) {
    return clients.get(agent);
  }

  public Path repository(String repoId) {
    return directory.resolve(repoId).toAbsolutePath();
  }

  /** Names of volume files with that prefix. */
  public List<String> volumes(String repoId, String prefix) throws Exception {
    return names(repository(repoId).resolve("volumes"), prefix);
  }

  public static List<String> names(Path directory, String prefix) throws Exception {
    try (var entries = Files.list(directory)) {
      return entries
          .map(entry -> String.valueOf(entry.getFileName()))
          .filter(name -> name.startsWith(prefix))
          .sorted()
          .toList();
    }
  }

  /** The id of a new empty disk, which is optimized. */
  public String disk(String repoId, long size) {
    return disk(repoId, size, null);
  }

  public String disk(String repoId, long size, @Nullable String base) {
    var request =
        new CreateVirtualDiskRequest(
            size, base, JsonNodeFactory.instance.objectNode(), ImageOptions.DEFAULT);
    String disk = clients.getFirst().createVirtualDisk(repoId, request, null).imageId();
    awaitOptimized(repoId, disk);
    return disk;
  }

  public static String snapshot(StorageClient client, String repoId, String disk) {
    var request =
        new CreateSnapshotRequest(
            disk, JsonNodeFactory.instance.objectNode(), ImageOptions.DEFAULT);
    return client.createSnapshot(repoId, request, null).imageId();
  }

  public static String copy(
      StorageClient client, String targetId, String image, @Nullable String base) {
    var request =
        new CopyImageRequest(
            image, base, JsonNodeFactory.instance.objectNode(), ImageOptions.DEFAULT);
    return client.copyImage(targetId, request, null).imageId();
  }

  public void awaitOptimized(String repoId, String imageId) {
    await()
        .atMost(PATIENCE)
        .until(
            () ->
                clients
                    .getFirst()
                    .getImageStatus(
                        repoId,
                        imageId,
                        new StatusQuery(Duration.ofSeconds(5), ImageState.OPTIMIZED, 0)),
            (ImageStatus status) -> status.state() == ImageState.OPTIMIZED);
  }

  @Override
  public void close() {
    clients.forEach(StorageClient::close);
    agents.forEach(Agent::close);
    zooKeeper.close();
  }
}
