package io.quarry.it.box;

import static org.awaitility.Awaitility.await;

import io.quarry.agent.dev.DeleteTree;
import io.quarry.agent.dev.EmbeddedZooKeeper;
import io.quarry.agent.dev.LocalCluster;
import io.quarry.agent.dev.LocalHost;
import io.quarry.common.api.HostInfo;
import io.quarry.common.api.PageQuery;
import io.quarry.common.api.RepositoryInfo;
import io.quarry.common.client.StorageClient;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * Two hosts that the classes of one test JVM use, one class after the other. A class finds hosts
 * that take fixes, without repositories and without a throttle.
 */
@SuppressWarnings("SystemOut")
final class SharedHosts {
  private static @Nullable SharedHosts running;

  private final Path directory;
  private final EmbeddedZooKeeper zooKeeper;
  private final LocalCluster cluster;
  private boolean ended;

  private SharedHosts(Path directory) throws IOException {
    this.directory = directory;
    this.zooKeeper = EmbeddedZooKeeper.start(directory.resolve("zookeeper"));
    this.cluster =
        LocalCluster.start(
            Box.mortal(directory, 2).withExternalZooKeeper(zooKeeper.connectString()));
  }

  static synchronized LocalCluster take() throws IOException, InterruptedException {
    if (running == null) {
      SharedHosts started = new SharedHosts(Files.createTempDirectory("quarry-hosts"));
      Runtime.getRuntime().addShutdownHook(new Thread(started::end));
      running = started;
    }
    try {
      awaitReady(running.cluster);
      return running.cluster;
    } catch (IOException | RuntimeException e) {
      giveUp(running);
      throw e;
    }
  }

  private static void giveUp(SharedHosts hosts) {
    hosts.end();
    running = null;
  }

  /** Hosts that cannot be given back as they were found serve no other class. */
  static synchronized void giveBack(List<StorageClient> clients) {
    if (running == null) {
      return;
    }
    try {
      awaitReady(running.cluster);
      for (StorageClient client : clients) {
        for (RepositoryInfo repository : client.listStorageRepositories()) {
          client.disconnectStorageRepository(repository.repoId());
        }
        client.setThrottle(0);
      }
      for (HostInfo host : clients.getFirst().listHosts(PageQuery.FIRST).hosts()) {
        if (host.drainedSince() != null) {
          clients.getFirst().drainHost(host.hostId(), false);
        }
      }
      // A name is free once no live host says that the name is connected there.
      for (StorageClient client : clients) {
        await()
            .atMost(Box.PATIENCE)
            .until(() ->
                client.listHosts(PageQuery.FIRST).hosts().stream()
                    .allMatch(host -> host.repositories().isEmpty()));
      }
    } catch (IOException | RuntimeException e) {
      System.out.println("The next class starts hosts of its own: " + e);
      giveUp(running);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      giveUp(running);
    }
  }

  private static void awaitReady(LocalCluster cluster) throws IOException, InterruptedException {
    for (LocalHost host : cluster.hosts()) {
      try {
        host.awaitReady(Box.PATIENCE);
      } catch (TimeoutException e) {
        throw new IOException(e);
      }
    }
  }

  private synchronized void end() {
    if (ended) {
      return;
    }
    ended = true;
    cluster.close();
    zooKeeper.close();
    try {
      DeleteTree.of(directory);
    } catch (IOException e) {
      System.out.println(directory + " stays: " + e);
    }
  }
}
