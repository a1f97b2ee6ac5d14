package io.quarry.agent.demo;

import io.quarry.agent.dev.LocalCluster;
import io.quarry.agent.dev.LocalClusterOptions;
import io.quarry.agent.dev.LocalHost;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/** The demo's hosts as processes on this machine. */
final class LocalMembers implements Cluster {
  /** As long as in production: the guardians must be the reason for quick takeovers. */
  private static final Duration SESSION_TIMEOUT = Duration.ofSeconds(15);

  private final LocalCluster cluster;

  private LocalMembers(LocalCluster cluster) {
    this.cluster = cluster;
  }

  static LocalMembers start(Path directory, int hosts) throws IOException {
    return new LocalMembers(
        LocalCluster.start(
            LocalClusterOptions.in(directory)
                .withHosts(hosts)
                .withSessionTimeout(SESSION_TIMEOUT)));
  }

  @Override
  public List<Member> members() {
    return cluster.hosts().stream().map(host -> new Member(host.hostId(), host.url())).toList();
  }

  @Override
  public void kill(String hostId) throws IOException {
    for (LocalHost host : cluster.hosts()) {
      if (host.hostId().equals(hostId)) {
        host.killAgent();
        return;
      }
    }
    throw new IllegalArgumentException("no host " + hostId);
  }

  @Override
  public void close() {
    cluster.close();
  }
}
