package io.quarry.agent.repository;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.awaitility.Awaitility.await;

import io.quarry.agent.storage.directory.LocalfsFormat;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.StorageException;
import io.quarry.coordinator.cluster.Candidate;
import io.quarry.coordinator.cluster.ClusterConnection;
import io.quarry.coordinator.cluster.ClusterIdentity;
import io.quarry.coordinator.cluster.HostLoad;
import io.quarry.coordinator.cluster.HostRecord;
import io.quarry.coordinator.cluster.HostRegistry;
import io.quarry.coordinator.cluster.LocalZooKeeper;
import io.quarry.coordinator.thread.Supervisor;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * After a wipe of ZooKeeper the cluster has a new name, but the SDM uses the old one for some
 * seconds. Hosts were told that another cluster uses the storage.
 */
@Timeout(180)
final class WipedClusterTest {
  private static final Duration SESSION = Duration.ofSeconds(15);

  @TempDir private Path directory;

  @Test
  void sdmThatHasNotHeardOfTheNewNameIsOfThisClusterAllTheSame() throws Exception {
    try (LocalZooKeeper before = new LocalZooKeeper();
        LocalZooKeeper wiped = new LocalZooKeeper();
        Host sdm = new Host("h1", before, directory);
        ConnectedRepository led = sdm.connect()) {
      led.prove(false);
      led.start();
      await().until(() -> !led.storage().canaries().isEmpty());

      // The state of h1 after the wipe: registered again, but without the new name.
      try (HostRegistry again = sdm.registered(wiped);
          Host joining = new Host("h2", wiped, directory);
          ConnectedRepository joins = joining.connect()) {
        joins.prove(false);
        assertThat(again.live()).isNotEmpty();
      }
    }
  }

  @Test
  void sdmOfAnotherClusterIsRefused() throws Exception {
    try (LocalZooKeeper one = new LocalZooKeeper();
        LocalZooKeeper other = new LocalZooKeeper();
        Host sdm = new Host("h1", one, directory);
        ConnectedRepository led = sdm.connect()) {
      led.prove(false);
      led.start();
      await().until(() -> !led.storage().canaries().isEmpty());
      try (Host joining = new Host("h2", other, directory);
          ConnectedRepository joins = joining.connect()) {
        StorageException refusal =
            catchThrowableOfType(StorageException.class, () -> joins.prove(false));
        assertThat(refusal.code()).isEqualTo(ErrorCode.REPOSITORY_IN_USE);
        assertThat(refusal).hasMessageContaining("h1@");
      }
    }
  }

  /**
   * The parts of an agent that use the cluster, without the loop that looks for the cluster's name.
   */
  private static final class Host implements AutoCloseable {
    private final String hostId;
    private final Path directory;
    private final Supervisor supervisor = new Supervisor();
    private final ClusterConnection cluster;
    private final HostRegistry registry;
    private @Nullable ClusterConnection second;

    Host(String hostId, LocalZooKeeper zooKeeper, Path directory) throws Exception {
      this.hostId = hostId;
      this.directory = directory;
      this.cluster = ClusterConnection.open(zooKeeper.connectString(), SESSION, supervisor);
      this.registry = new HostRegistry(cluster, Clock.systemUTC());
      registry.start();
      registry.register(record());
    }

    private String incarnation() {
      return hostId + "-life";
    }

    private HostRecord record() {
      return new HostRecord(
          hostId,
          incarnation(),
          "http://" + hostId,
          Instant.now(),
          Map.of(),
          new HostLoad(0, 1, 0),
          "test",
          null,
          List.of());
    }

    HostRegistry registered(LocalZooKeeper zooKeeper) throws Exception {
      second = ClusterConnection.open(zooKeeper.connectString(), SESSION, supervisor);
      HostRegistry there = new HostRegistry(second, Clock.systemUTC());
      there.start();
      there.register(record());
      await().until(() -> !there.live().isEmpty());
      return there;
    }

    ConnectedRepository connect() throws Exception {
      Path root = Files.createDirectories(directory.resolve("repository"));
      Map<String, String> parameters = Map.of("path", root.toString());
      return new ConnectedRepository(
          new ConnectedRepository.Identity("main", "localfs-1.0", parameters),
          new LocalfsFormat().connect(parameters, true, hostId + "@life"),
          new ConnectedRepository.Shared(
              null,
              cluster,
              registry,
              new Candidate(hostId, incarnation(), "http://" + hostId),
              (endpoint, body, timeout) -> {
                throw new SubmitTransport.NotSentException("no host is asked");
              },
              new Drain(directory.resolve(hostId + ".drained")),
              new ClusterIdentity(cluster),
              new SeenHeads(directory.resolve(hostId + ".seen")),
              supervisor,
              Clock.systemUTC()));
    }

    @Override
    public void close() {
      registry.close();
      cluster.close();
      if (second != null) {
        second.close();
      }
    }
  }
}
