package io.quarry.it.dev;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.quarry.agent.dev.EmbeddedZooKeeper;
import io.quarry.agent.dev.LocalCluster;
import io.quarry.agent.dev.LocalClusterOptions;
import io.quarry.agent.dev.ZooKeeperProcess;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.CuratorFrameworkFactory;
import org.apache.curator.framework.state.ConnectionState;
import org.apache.curator.retry.RetryOneTime;
import org.apache.zookeeper.CreateMode;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What a client observes when ZooKeeper goes away, or comes back without its data. */
@Timeout(120)
final class ZooKeeperLossIT {
  private static final int SESSION_MILLIS = 4_000;
  private static final int CONNECT_MILLIS = 2_000;
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  @Test
  void restartedServerHasTheDataAndThePort(@TempDir Path directory) throws Exception {
    try (EmbeddedZooKeeper zooKeeper = EmbeddedZooKeeper.start(directory);
        CuratorFramework client = client(zooKeeper.connectString())) {
      client.create().withMode(CreateMode.EPHEMERAL).forPath("/here");
      long session = client.getZookeeperClient().getZooKeeper().getSessionId();
      zooKeeper.restart();
      await().atMost(PATIENCE).ignoreExceptions().until(() -> exists(client, "/here"));
      assertThat(client.getZookeeperClient().getZooKeeper().getSessionId()).isEqualTo(session);
    }
  }

  @Test
  void clientGetsANewSessionByItselfAfterAWipe(@TempDir Path directory) throws Exception {
    try (LocalCluster cluster =
        LocalCluster.start(
            LocalClusterOptions.in(directory)
                .withGuardianArguments("--agent-main", HealthyAgent.class.getName()))) {
      ZooKeeperProcess zooKeeper = cluster.zooKeeper();
      List<ConnectionState> states = new CopyOnWriteArrayList<>();
      try (CuratorFramework client = client(zooKeeper.connectString())) {
        client.getConnectionStateListenable().addListener((_, state) -> states.add(state));
        for (int node = 0; node < 20; node++) {
          client.create().forPath("/before-" + node);
        }
        long session = client.getZookeeperClient().getZooKeeper().getSessionId();
        zooKeeper.kill();
        zooKeeper.wipe();
        zooKeeper.start();
        long back = System.nanoTime();
        await().atMost(PATIENCE).ignoreExceptions().until(() -> !exists(client, "/before-1"));
        await().atMost(PATIENCE).until(() -> states.contains(ConnectionState.RECONNECTED));
        System.out.printf(
            "ZooKeeper wiped: a client with a %d ms session recovered %.1f s after it served again,"
                + " through %s%n",
            SESSION_MILLIS, (System.nanoTime() - back) / 1e9, states);
        assertThat(client.getZookeeperClient().getZooKeeper().getSessionId()).isNotEqualTo(session);
        client.create().withMode(CreateMode.EPHEMERAL).forPath("/after");
      }
    }
  }

  private static CuratorFramework client(String connectString) throws InterruptedException {
    CuratorFramework client =
        CuratorFrameworkFactory.builder()
            .connectString(connectString)
            .sessionTimeoutMs(SESSION_MILLIS)
            .connectionTimeoutMs(CONNECT_MILLIS)
            .retryPolicy(new RetryOneTime(100))
            .build();
    client.start();
    client.blockUntilConnected();
    return client;
  }

  private static boolean exists(CuratorFramework client, String path) throws Exception {
    return client.checkExists().forPath(path) != null;
  }
}
