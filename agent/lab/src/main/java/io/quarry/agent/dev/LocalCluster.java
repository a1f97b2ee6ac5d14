package io.quarry.agent.dev;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.quarry.common.api.Json;
import java.io.IOException;
import java.net.http.HttpClient;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeoutException;

/**
 * Hosts as real processes on the loopback address, and a ZooKeeper. All of these processes end with
 * {@link #close}, and also when this JVM is killed.
 */
public final class LocalCluster implements AutoCloseable {
  private final ChildProcesses processes;
  private final HttpClient http = HttpClient.newHttpClient();
  private final List<LocalHost> hosts = new ArrayList<>();
  private final Optional<ZooKeeperProcess> zooKeeper;
  private final String connectString;

  private LocalCluster(LocalClusterOptions options) throws IOException {
    processes = new ChildProcesses(ClassArchive.optionsIn(options));
    Files.createDirectories(options.directory());
    Set<Integer> ports = new HashSet<>();
    zooKeeper =
        options.externalZooKeeper().isPresent()
            ? Optional.empty()
            : Optional.of(
                new ZooKeeperProcess(
                    processes, options.directory().resolve("zookeeper"), nextPort(ports)));
    connectString =
        zooKeeper.map(ZooKeeperProcess::connectString).or(options::externalZooKeeper).orElseThrow();
    for (int number = 1; number <= options.hosts(); number++) {
      String hostId = "host-" + number;
      Path directory = options.directory().resolve(hostId);
      ObjectNode config = config(options, hostId, directory, nextPort(ports));
      hosts.add(new LocalHost(processes, http, options, config, directory));
    }
  }

  /** Starts ZooKeeper and the hosts. When it returns, ZooKeeper serves; the agents may not yet. */
  public static LocalCluster start(LocalClusterOptions options) throws IOException {
    LocalCluster cluster = new LocalCluster(options);
    try {
      if (cluster.zooKeeper.isPresent()) {
        cluster.zooKeeper.get().start();
      }
      for (LocalHost host : cluster.hosts) {
        host.start();
      }
      return cluster;
    } catch (IOException | RuntimeException failure) {
      cluster.close();
      throw failure;
    }
  }

  /** The host of that index, from 0; its hostId counts from 1. */
  public LocalHost host(int index) {
    return hosts.get(index);
  }

  public List<LocalHost> hosts() {
    return List.copyOf(hosts);
  }

  /** The cluster's own ZooKeeper. */
  public ZooKeeperProcess zooKeeper() {
    return zooKeeper.orElseThrow(
        () -> new IllegalStateException("The cluster uses the ZooKeeper at " + connectString));
  }

  public String connectString() {
    return connectString;
  }

  /** Waits until every agent answers. */
  public void awaitReady(Duration within)
      throws IOException, InterruptedException, TimeoutException {
    long deadline = System.nanoTime() + within.toNanos();
    for (LocalHost host : hosts) {
      host.awaitReady(Duration.ofNanos(Math.max(0, deadline - System.nanoTime())));
    }
  }

  /** Kills all processes; the files stay. */
  @Override
  public void close() {
    hosts.forEach(LocalHost::close);
    zooKeeper.ifPresent(ZooKeeperProcess::close);
    http.close();
  }

  /** Only what differs from the defaults: agents of older commits know fewer settings. */
  private ObjectNode config(LocalClusterOptions options, String hostId, Path directory, int port) {
    ObjectNode fields = Json.MAPPER.createObjectNode();
    fields.put("hostId", hostId);
    fields.put("listen", LoopbackPorts.LOOPBACK + ":" + port);
    fields.put("zookeeper", connectString);
    fields.put("sessionTimeout", options.sessionTimeout().toString());
    fields.put("stateDirectory", directory.resolve("state").toString());
    options
        .agentConfig()
        .apply(hostId)
        .forEach((name, value) -> fields.set(name, Json.MAPPER.valueToTree(value)));
    return fields;
  }

  private static int nextPort(Set<Integer> taken) throws IOException {
    int port = LoopbackPorts.free();
    while (!taken.add(port)) {
      port = LoopbackPorts.free();
    }
    return port;
  }
}
