package io.quarry.it.guardian;

import static org.awaitility.Awaitility.await;

import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.Watcher;
import org.apache.zookeeper.ZooKeeper;

/** The cluster as another host sees it. Times are those of {@link System#nanoTime}. */
final class Observer implements AutoCloseable {
  private final ZooKeeper client;

  Observer(String connectString) throws Exception {
    client = new ZooKeeper(connectString, 30_000, event -> {});
    await().until(() -> client.getState().isConnected());
  }

  ZooKeeper client() {
    return client;
  }

  /** The path of the only listed host, once that host is another one than the named one. */
  String host(String other) {
    return await()
        .until(
            () -> client.getChildren(GuardedAgent.HOSTS, false),
            children -> children.size() == 1 && !children.contains(other))
        .getFirst();
  }

  CompletableFuture<Long> appears(String path) throws Exception {
    return when(path, Watcher.Event.EventType.NodeCreated);
  }

  CompletableFuture<Long> vanishes(String path) throws Exception {
    return when(path, Watcher.Event.EventType.NodeDeleted);
  }

  boolean exists(String path) throws KeeperException, InterruptedException {
    return client.exists(path, false) != null;
  }

  List<String> children(String path) throws KeeperException, InterruptedException {
    return client.getChildren(path, false);
  }

  private CompletableFuture<Long> when(String path, Watcher.Event.EventType wanted)
      throws KeeperException, InterruptedException {
    CompletableFuture<Long> time = new CompletableFuture<>();
    client.exists(
        path,
        event -> {
          if (event.getType() == wanted) {
            time.complete(System.nanoTime());
          }
        });
    return time;
  }

  @Override
  public void close() {
    try {
      client.close();
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
