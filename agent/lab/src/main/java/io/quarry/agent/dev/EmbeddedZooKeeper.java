package io.quarry.agent.dev;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Properties;
import org.apache.zookeeper.server.embedded.ExitHandler;
import org.apache.zookeeper.server.embedded.ZooKeeperServerEmbedded;
import org.jspecify.annotations.Nullable;

/**
 * One production ZooKeeper server inside this process, on the loopback address. The server's port
 * stays the same over restarts. Not thread-safe.
 */
public final class EmbeddedZooKeeper implements AutoCloseable {
  /** Sessions expire in steps of this. */
  public static final Duration TICK = Duration.ofMillis(200);

  public static final Duration SESSION_TIMEOUT_MIN = Duration.ofSeconds(1);
  public static final Duration SESSION_TIMEOUT_MAX = Duration.ofSeconds(60);

  private static final Duration START_WAIT = Duration.ofSeconds(30);

  /** The step by which the transaction log grows; the default of 64 MiB is for real ensembles. */
  private static final int LOG_STEP_KIB = 1024;

  private final Path data;
  private final int port;
  private @Nullable ZooKeeperServerEmbedded server;

  private EmbeddedZooKeeper(Path data, int port) {
    this.data = data;
    this.port = port;
  }

  /** Serves the data of the directory on a free port; makes the directory when it is missing. */
  public static EmbeddedZooKeeper start(Path data) throws IOException {
    return start(data, LoopbackPorts.free());
  }

  public static EmbeddedZooKeeper start(Path data, int port) throws IOException {
    EmbeddedZooKeeper zooKeeper = new EmbeddedZooKeeper(data, port);
    zooKeeper.start();
    return zooKeeper;
  }

  public int port() {
    return port;
  }

  public String connectString() {
    return LoopbackPorts.LOOPBACK + ":" + port;
  }

  /** Starts the server again after {@link #stop}, with the same data and port. */
  public void start() throws IOException {
    if (server != null) {
      throw new IllegalStateException("ZooKeeper runs already on port " + port);
    }
    Files.createDirectories(data);
    try {
      ZooKeeperServerEmbedded starting =
          ZooKeeperServerEmbedded.builder()
              .baseDir(data)
              .configuration(settings())
              .exitHandler(ExitHandler.LOG_ONLY)
              .build();
      starting.start(START_WAIT.toMillis());
      server = starting;
    } catch (IOException | RuntimeException failure) {
      throw failure;
    } catch (Exception failure) {
      throw new IOException("ZooKeeper does not start on port " + port, failure);
    }
  }

  public void stop() {
    if (server != null) {
      server.close();
      server = null;
    }
  }

  public void restart() throws IOException {
    stop();
    start();
  }

  @Override
  public void close() {
    stop();
  }

  private Properties settings() {
    Properties settings = new Properties();
    settings.setProperty("clientPort", Integer.toString(port));
    settings.setProperty("clientPortAddress", LoopbackPorts.LOOPBACK);
    settings.setProperty("tickTime", Long.toString(TICK.toMillis()));
    settings.setProperty("minSessionTimeout", Long.toString(SESSION_TIMEOUT_MIN.toMillis()));
    settings.setProperty("maxSessionTimeout", Long.toString(SESSION_TIMEOUT_MAX.toMillis()));
    settings.setProperty("maxClientCnxns", "0");
    settings.setProperty("admin.enableServer", "false");
    settings.setProperty("4lw.commands.whitelist", ZooKeeperProbe.COMMAND);
    settings.setProperty("preAllocSize", Integer.toString(LOG_STEP_KIB));
    return settings;
  }
}
