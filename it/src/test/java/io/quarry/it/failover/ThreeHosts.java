package io.quarry.it.failover;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.quarry.agent.dev.LocalCluster;
import io.quarry.agent.dev.LocalClusterOptions;
import io.quarry.agent.dev.LocalHost;
import io.quarry.agent.dev.NewRepository;
import io.quarry.common.api.CopyImageRequest;
import io.quarry.common.api.CreateVirtualDiskRequest;
import io.quarry.common.api.CreatedImage;
import io.quarry.common.api.HostInfo;
import io.quarry.common.api.ImageInfo;
import io.quarry.common.api.ImageOptions;
import io.quarry.common.api.ImagePage;
import io.quarry.common.api.ImageQuery;
import io.quarry.common.api.OpenRequest;
import io.quarry.common.api.OpenedImage;
import io.quarry.common.api.StatusQuery;
import io.quarry.common.api.StorageException;
import io.quarry.common.client.ClientSettings;
import io.quarry.common.client.StorageClient;
import io.quarry.common.model.ImageState;
import io.quarry.common.model.Visibility;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Three hosts that reach the same two repositories, and a client for each host. */
final class ThreeHosts implements AutoCloseable {
  static final String MAIN = "main";
  static final String BACKUP = "backup";
  static final Duration PATIENCE = Duration.ofSeconds(90);
  static final int COUNT = 3;

  /** Enough memory for a storm, which makes tens of thousands of disks. */
  static final String[] JAVA_OPTIONS = {"-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"};

  private static final String OWNER = "test";
  private static final Duration POLL = Duration.ofMillis(50);

  private final LocalCluster cluster;
  private final StorageClient everywhere;

  private ThreeHosts(LocalCluster cluster) {
    this.cluster = cluster;
    this.everywhere =
        new StorageClient(
            cluster.hosts().stream().map(LocalHost::url).toList(), ClientSettings.DEFAULT);
  }

  /**
   * @param throttle of each agent, in bytes per second, after each start
   */
  static ThreeHosts start(Path directory, Duration sessionTimeout, long throttle) throws Exception {
    List<Map<String, Object>> repositories = new ArrayList<>();
    for (String repoId : List.of(MAIN, BACKUP)) {
      repositories.add(NewRepository.at(repoId, directory.resolve(repoId)));
    }
    ThreeHosts hosts =
        new ThreeHosts(
            LocalCluster.start(
                LocalClusterOptions.in(directory.resolve("cluster"))
                    .withHosts(COUNT)
                    .withJavaOptions(JAVA_OPTIONS)
                    .withSessionTimeout(sessionTimeout)
                    .withAgentConfig(
                        Map.of("repositories", repositories, "throttleBytesPerSecond", throttle))
                    .withGuardianArguments("--restart-pause-max", "PT0.2S")));
    try {
      hosts.awaitWhole();
      return hosts;
    } catch (RuntimeException failure) {
      hosts.close();
      throw failure;
    }
  }

  LocalCluster cluster() {
    return cluster;
  }

  /** A client that asks any agent that answers. */
  StorageClient everywhere() {
    return everywhere;
  }

  /** A client of one host with a short deadline. */
  StorageClient of(LocalHost host) {
    return everywhere.withAgents(List.of(host.url()));
  }

  StorageClient clientWithin(Duration deadline, List<LocalHost> hosts) {
    List<URI> urls = hosts.stream().map(LocalHost::url).toList();
    return new StorageClient(urls, ClientSettings.within(deadline));
  }

  LocalHost named(String hostId) {
    return cluster.hosts().stream()
        .filter(host -> host.hostId().equals(hostId))
        .findAny()
        .orElseThrow();
  }

  List<LocalHost> allBut(LocalHost one) {
    return cluster.hosts().stream().filter(host -> host != one).toList();
  }

  /**
   * Waits until each host sees all hosts, each with both repositories, and an SDM for each
   * repository.
   */
  void awaitWhole() {
    await()
        .atMost(PATIENCE)
        .pollInterval(POLL)
        .ignoreExceptionsInstanceOf(StorageException.class)
        .untilAsserted(() -> {
          for (LocalHost host : cluster.hosts()) {
            assertThat(host.ready()).as("%s is ready", host.hostId()).isTrue();
            assertWhole(of(host).listHosts());
          }
        });
  }

  private static void assertWhole(List<HostInfo> seen) {
    assertThat(seen).hasSize(COUNT);
    assertThat(seen).allSatisfy(host -> assertThat(host.repositories()).hasSize(2));
    for (String repoId : List.of(MAIN, BACKUP)) {
      assertThat(seen.stream().flatMap(host -> host.repositories().stream()))
          .filteredOn(repository -> repository.repoId().equals(repoId))
          .as("SDMs of %s", repoId)
          .filteredOn(HostInfo.HostRepository::sdm)
          .hasSize(1);
    }
  }

  /** The SDM's host, as the client's agent sees it. */
  static Optional<String> sdm(StorageClient client, String repoId) {
    return Optional.ofNullable(client.getStorageRepository(repoId).sdmHostId());
  }

  static CreatedImage createDisk(StorageClient client, String repoId, long size, String label) {
    return client.createVirtualDisk(
        repoId,
        new CreateVirtualDiskRequest(size, null, label(label), ImageOptions.DEFAULT),
        label);
  }

  static ObjectNode label(String value) {
    return JsonNodeFactory.instance.objectNode().put("label", value);
  }

  /** The id of a new disk in {@link #MAIN} that holds the source. */
  String diskWith(SourceImage source) throws IOException {
    CreatedImage disk =
        everywhere.createVirtualDisk(
            MAIN,
            new CreateVirtualDiskRequest(
                source.size(), null, label("source"), ImageOptions.DEFAULT),
            null);
    awaitOptimized(MAIN, disk.imageId(), disk.commit());
    OpenedImage opened =
        everywhere.openImage(MAIN, disk.imageId(), new OpenRequest(false, OWNER), null);
    source.writeInto(Path.of(opened.path()));
    everywhere.closeImage(MAIN, disk.imageId(), opened.openId(), null);
    return disk.imageId();
  }

  CreatedImage startCopy(String imageId) {
    return everywhere.copyImage(
        BACKUP, new CopyImageRequest(imageId, null, label("copy"), ImageOptions.DEFAULT), null);
  }

  void awaitOptimized(String repoId, String imageId, long commit) {
    StatusQuery query = new StatusQuery(PATIENCE, ImageState.OPTIMIZED, commit);
    assertThat(everywhere.getImageStatus(repoId, imageId, query))
        .satisfies(status -> assertThat(status.state()).isEqualTo(ImageState.OPTIMIZED));
  }

  /**
   * All images, including those acknowledged before this call: the SDM's host knows the newest
   * commit.
   */
  List<ImageInfo> allImages(String repoId) {
    long newest =
        cluster.hosts().stream()
            .mapToLong(host -> of(host).getStorageRepository(repoId).commit())
            .max()
            .orElseThrow();
    List<ImageInfo> all = new ArrayList<>();
    String after = null;
    do {
      ImagePage page =
          everywhere.listImages(
              repoId,
              new ImageQuery(
                  null, null, Visibility.VISIBLE, null, after, ImageQuery.LIMIT_MAX, newest));
      all.addAll(page.images());
      after = page.next();
    } while (after != null);
    return all;
  }

  /** The bottom file of a whole raw image's chain. */
  Path bottomFile(String repoId, String imageId) {
    OpenedImage opened = everywhere.openImage(repoId, imageId, new OpenRequest(true, OWNER), null);
    everywhere.closeImage(repoId, imageId, opened.openId(), null);
    return Path.of(
        opened.backingChain().isEmpty() ? opened.path() : opened.backingChain().getLast().path());
  }

  @Override
  public void close() {
    everywhere.close();
    cluster.close();
  }
}
