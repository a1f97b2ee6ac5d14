package io.quarry.coordinator.cluster;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.curator.test.InstanceSpec;
import org.apache.curator.test.TestingServer;
import org.apache.zookeeper.Watcher.Event.KeeperState;
import org.apache.zookeeper.ZooKeeper;

/** A real ZooKeeper server in this process that can be stopped, started again, and wiped. */
public final class LocalZooKeeper implements AutoCloseable {
  /** Allows session timeouts from 0.4 seconds. */
  private static final int TICK_MILLIS = 200;

  private static final Map<String, Object> LONG_SESSIONS = Map.of("maxSessionTimeout", "60000");

  private final int port = InstanceSpec.getRandomPort();
  private TestingServer server;

  public LocalZooKeeper() {
    server = fresh();
  }

  public String connectString() {
    return server.getConnectString();
  }

  public void stop() {
    try {
      server.stop();
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    }
  }

  /** Starts again with the same data. */
  public void start() {
    try {
      server.restart();
    } catch (Exception failure) {
      throw new IllegalStateException(failure);
    }
  }

  /** Starts again without any data, on the same port. */
  void startWiped() {
    try {
      server.close();
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    }
    server = fresh();
  }

  /** Closes a session from outside, as a guardian does; returns when the call began. */
  long closeSession(SessionInfo session) throws Exception {
    CountDownLatch connected = new CountDownLatch(1);
    ZooKeeper client =
        new ZooKeeper(
            session.connectString(),
            Math.toIntExact(session.sessionTimeout().toMillis()),
            event -> {
              if (event.getState() == KeeperState.SyncConnected) {
                connected.countDown();
              }
            },
            session.sessionId(),
            session.password());
    boolean inTime = connected.await(5, TimeUnit.SECONDS);
    long begun = System.nanoTime();
    client.close();
    if (!inTime) {
      throw new IllegalStateException("no connection to close the session with");
    }
    return begun;
  }

  @Override
  public void close() {
    try {
      server.close();
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    }
  }

  private TestingServer fresh() {
    try {
      File directory = Files.createTempDirectory("zookeeper").toFile();
      return new TestingServer(
          new InstanceSpec(directory, port, -1, -1, true, -1, TICK_MILLIS, -1, LONG_SESSIONS),
          true);
    } catch (Exception failure) {
      throw new IllegalStateException(failure);
    }
  }
}
