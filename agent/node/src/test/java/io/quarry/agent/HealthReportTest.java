package io.quarry.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.quarry.agent.data.process.Spawner;
import io.quarry.agent.repository.ConnectedRepository;
import io.quarry.agent.repository.Drain;
import io.quarry.agent.repository.SeenHeads;
import io.quarry.agent.repository.SubmitTransport;
import io.quarry.agent.service.Connections;
import io.quarry.agent.service.Repositories;
import io.quarry.agent.service.StorageIo;
import io.quarry.coordinator.cluster.Candidate;
import io.quarry.coordinator.cluster.ClusterConnection;
import io.quarry.coordinator.cluster.ClusterIdentity;
import io.quarry.coordinator.cluster.HostRegistry;
import io.quarry.coordinator.cluster.LocalZooKeeper;
import io.quarry.coordinator.thread.Loop;
import io.quarry.coordinator.thread.Supervisor;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Cases 12.3 and 12.6: a host did not do its work, and its health was ok. */
@Timeout(120)
final class HealthReportTest {
  private static final Duration SESSION = Duration.ofSeconds(15);

  private final Supervisor supervisor = new Supervisor();
  private final AtomicBoolean broken = new AtomicBoolean(true);
  private final AtomicReference<Map<String, String>> waiting = new AtomicReference<>(Map.of());

  @Test
  void failedThreadIsNotOkAndIsNamedAfterwards(@TempDir Path directory) throws Exception {
    Clock clock = Clock.systemUTC();
    try (LocalZooKeeper zooKeeper = new LocalZooKeeper();
        ClusterConnection cluster =
            ClusterConnection.open(zooKeeper.connectString(), SESSION, supervisor);
        HostRegistry registry = new HostRegistry(cluster, clock);
        StorageIo io = new StorageIo(supervisor);
        Loop loop = new Loop("fragile", Duration.ofMillis(1), this::step)) {
      ConnectedRepository.Shared shared =
          new ConnectedRepository.Shared(
              null,
              cluster,
              registry,
              new Candidate("h1", "h1-1", "http://h1"),
              (endpoint, body, timeout) -> {
                throw new SubmitTransport.NotSentException("there is one host");
              },
              new Drain(directory.resolve("drained")),
              new ClusterIdentity(cluster),
              new SeenHeads(directory.resolve("seen")),
              supervisor,
              clock);
      Repositories repositories =
          new Repositories(
              shared,
              io,
              new Connections(directory.resolve("connections.json")),
              Formats.of(directory, "h1", new Spawner()));
      HealthReport report =
          new HealthReport("h1", cluster, registry, repositories, waiting::get, supervisor);
      await().until(cluster::connected);
      assertThat(report.now(false).ok()).isFalse();
      assertThat(report.now(false).details()).containsEntry("started", "false");
      assertThat(report.now(true).ok()).isTrue();
      assertThat(report.now(true).details()).containsEntry("started", "true");
      assertThat(report.now(true).details()).containsEntry("threads", "ok");

      loop.start(supervisor);
      await().until(() -> !report.now(true).ok());
      assertThat(report.now(true).details().get("reason")).contains("fragile", "out of luck");

      broken.set(false);
      await().until(() -> report.now(true).ok());
      assertThat(report.now(true).details().get("threads")).contains("fragile failed");

      repositories.expect("late");
      waiting.set(Map.of("late", "no mount", "forgotten", "no mount"));
      assertThat(report.now(true).ok()).isFalse();
      assertThat(report.now(true).details().get("reason"))
          .isEqualTo("repository late is not connected: no mount");
      waiting.set(Map.of());

      zooKeeper.stop();
      await().until(() -> !report.now(true).ok());
      assertThat(report.now(true).details().get("reason")).contains("ZooKeeper does not answer");
    }
  }

  private void step() {
    if (broken.get()) {
      throw new IllegalStateException("out of luck");
    }
  }
}
