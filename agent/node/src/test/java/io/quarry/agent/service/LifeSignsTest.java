package io.quarry.agent.service;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.sun.net.httpserver.HttpServer;
import io.quarry.agent.HttpPeers;
import io.quarry.common.client.JsonHttp;
import io.quarry.coordinator.cluster.ClusterConnection;
import io.quarry.coordinator.cluster.HostRecord;
import io.quarry.coordinator.cluster.HostRegistry;
import io.quarry.coordinator.cluster.LocalZooKeeper;
import io.quarry.coordinator.thread.Supervisor;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Case 12.6: a host whose record was deleted was fenced, and its opens ended while its guests ran.
 */
@Timeout(120)
final class LifeSignsTest {
  private static final Duration SESSION = Duration.ofSeconds(15);

  private final Supervisor supervisor = new Supervisor();

  @Test
  void hostThatAnswersIsAliveWhateverTheClusterSays(@TempDir Path directory) throws Exception {
    HttpServer agent =
        HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    byte[] health =
        "{\"hostId\":\"h2\",\"status\":\"unavailable\"}".getBytes(StandardCharsets.UTF_8);
    agent.createContext(
        "/health",
        exchange -> {
          exchange.sendResponseHeaders(503, health.length);
          exchange.getResponseBody().write(health);
          exchange.close();
        });
    agent.start();
    String endpoint = "http://127.0.0.1:" + agent.getAddress().getPort();
    try (LocalZooKeeper zooKeeper = new LocalZooKeeper();
        JsonHttp http = new JsonHttp();
        ClusterConnection here = connect(zooKeeper);
        ClusterConnection there = connect(zooKeeper);
        HostRegistry registry = new HostRegistry(here, Clock.systemUTC())) {
      registry.start();
      LifeSigns signs = new LifeSigns("h1", registry, List::of, new HttpPeers("host-0", http));
      assertThat(signs.of("h1")).isEqualTo("this agent runs on it");
      assertThat(signs.of("h2")).isNull();
      try (HostRegistry other = new HostRegistry(there, Clock.systemUTC())) {
        other.start();
        other.register(
            new HostRecord("h2", "h2-1", endpoint, Instant.EPOCH, null, null, null, null, null));
        await().until(() -> registry.find("h2").isPresent());
        assertThat(signs.of("h2")).isEqualTo("it is registered in the cluster");
      }
      await().until(() -> registry.find("h2").isEmpty());

      assertThat(signs.of("h2")).isEqualTo("its agent answers at " + endpoint);

      agent.stop(0);
      assertThat(signs.of("h2")).isNull();
    } finally {
      agent.stop(0);
    }
  }

  private ClusterConnection connect(LocalZooKeeper zooKeeper) {
    return ClusterConnection.open(zooKeeper.connectString(), SESSION, supervisor);
  }
}
