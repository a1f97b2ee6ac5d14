package io.quarry.it.vm;

import io.quarry.agent.dev.EmbeddedZooKeeper;
import io.quarry.common.client.StorageClient;
import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.TimeoutException;

/**
 * A whole agent on each host of the lab, with its guardian, and a ZooKeeper in this JVM. Agents,
 * ZooKeeper and tests meet at the cable that each machine has to this host. Data goes over the
 * cables to the file server.
 */
public final class LabAgents implements Closeable {
  /** Until a machine that has just booted has an agent that answers. */
  private static final Duration READY_MAX = Duration.ofMinutes(3);

  private final EmbeddedZooKeeper zooKeeper;
  private final NfsServer nfs;
  private final Map<String, LabAgent> agents;

  private LabAgents(EmbeddedZooKeeper zooKeeper, NfsServer nfs, Map<String, LabAgent> agents) {
    this.zooKeeper = zooKeeper;
    this.nfs = nfs;
    this.agents = agents;
  }

  /**
   * @param directory for ZooKeeper's data
   */
  static LabAgents start(List<LabVm> hosts, NfsServer nfs, Path directory)
      throws IOException, InterruptedException, TimeoutException {
    EmbeddedZooKeeper zooKeeper = EmbeddedZooKeeper.start(directory.resolve("zookeeper"));
    Map<String, LabAgent> agents = new LinkedHashMap<>();
    LabAgents started = new LabAgents(zooKeeper, nfs, agents);
    try {
      for (LabVm host : hosts) {
        LabAgent agent = new LabAgent(host, zooKeeper.port());
        agents.put(host.name(), agent);
        agent.start();
      }
      started.awaitReady();
    } catch (IOException | InterruptedException | TimeoutException e) {
      started.close();
      throw e;
    }
    return started;
  }

  /** Waits until every agent answers. */
  public void awaitReady() throws IOException, InterruptedException, TimeoutException {
    for (LabAgent agent : agents.values()) {
      agent.awaitReady(READY_MAX);
    }
  }

  /** Every host connects the repository; the first one that is asked makes it. */
  public void connect(String repoId) throws IOException, InterruptedException {
    connect(repoId, Map.of());
  }

  /**
   * @param more parameters of the connection
   */
  public void connect(String repoId, Map<String, String> more)
      throws IOException, InterruptedException {
    nfs.makeDirectories(repoId);
    for (LabAgent agent : agents.values()) {
      agent.connect(repoId, more);
    }
  }

  /** That of one host. */
  public LabAgent on(String host) {
    return Objects.requireNonNull(agents.get(host), () -> "there is no host " + host);
  }

  public List<LabAgent> all() {
    return List.copyOf(agents.values());
  }

  /** Any agent but this one. */
  public LabAgent otherThan(LabAgent agent) {
    Optional<LabAgent> other = agents.values().stream().filter(each -> each != agent).findFirst();
    return other.orElseThrow();
  }

  /** A client that asks whichever agent answers. */
  public StorageClient client() {
    return new StorageClient(agents.values().stream().map(LabAgent::url).toList());
  }

  @Override
  public void close() {
    agents.values().forEach(LabAgent::close);
    zooKeeper.close();
  }
}
