package io.quarry.agent.lab;

import io.quarry.agent.dev.DeleteTree;
import io.quarry.agent.dev.LocalCluster;
import io.quarry.agent.dev.LocalClusterOptions;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A cluster that another thread may end at any moment, even before the cluster runs. */
final class DevCluster implements AutoCloseable {
  private final Path directory;
  private final boolean temporary;
  private @Nullable LocalCluster cluster;
  private boolean closed;

  /**
   * @param temporary whether the directory is deleted with the cluster
   */
  DevCluster(Path directory, boolean temporary) {
    this.directory = directory;
    this.temporary = temporary;
  }

  /**
   * @param repositories for the agents' configurations, so that agents have them after restarts,
   *     too
   */
  synchronized LocalCluster start(int hosts, List<Map<String, Object>> repositories)
      throws IOException {
    if (closed) {
      throw new IOException("ended");
    }
    LocalCluster started =
        LocalCluster.start(
            LocalClusterOptions.in(directory)
                .withHosts(hosts)
                .withWholeCompiler()
                .withAgentConfig(Map.of("repositories", repositories)));
    cluster = started;
    return started;
  }

  @Override
  public synchronized void close() {
    if (closed) {
      return;
    }
    closed = true;
    if (cluster != null) {
      cluster.close();
    }
    if (temporary) {
      try {
        DeleteTree.of(directory);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }
}
