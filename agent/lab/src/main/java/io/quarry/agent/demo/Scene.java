package io.quarry.agent.demo;

import io.quarry.agent.demo.Cluster.Member;
import io.quarry.common.api.StorageApi;
import io.quarry.common.client.ClientSettings;
import io.quarry.common.client.StorageClient;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The cluster that every act of the demo works with.
 *
 * @param api any reachable agent, as an engine would ask
 * @param hosts each host's own agent, with few retries
 */
record Scene(
    Cluster cluster,
    StorageApi api,
    Map<String, StorageApi> hosts,
    Path directory,
    Timeline timeline,
    Audience audience) {
  static final String MAIN = "main";
  static final String BACKUP = "backup";
  static final List<String> REPOSITORIES = List.of(MAIN, BACKUP);

  private static final Duration HOST_DEADLINE = Duration.ofSeconds(2);

  static Scene of(Cluster cluster, Path directory, Timeline timeline, Audience audience) {
    Map<String, StorageApi> hosts = new LinkedHashMap<>();
    for (Member member : cluster.members()) {
      hosts.put(
          member.hostId(),
          new StorageClient(List.of(member.agent()), ClientSettings.within(HOST_DEADLINE)));
    }
    List<URI> agents = cluster.members().stream().map(Member::agent).toList();
    return new Scene(cluster, new StorageClient(agents), hosts, directory, timeline, audience);
  }

  StorageApi host(String hostId) {
    StorageApi host = hosts.get(hostId);
    if (host == null) {
      throw new IllegalArgumentException("no host " + hostId);
    }
    return host;
  }

  Path repository(String repoId) {
    return directory.resolve(repoId);
  }
}
