package io.quarry.agent.demo;

import io.quarry.agent.demo.Cluster.Member;
import io.quarry.common.api.StorageApi;
import java.net.URI;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/**
 * What every act of the demo works with.
 *
 * @param api any reachable agent, as an engine would ask
 * @param hosts each host's own agent
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

  static Scene of(
      Cluster cluster,
      Function<List<URI>, StorageApi> connect,
      Path directory,
      Timeline timeline,
      Audience audience) {
    Map<String, StorageApi> hosts = new LinkedHashMap<>();
    cluster
        .members()
        .forEach(each -> hosts.put(each.hostId(), connect.apply(List.of(each.agent()))));
    List<URI> agents = cluster.members().stream().map(Member::agent).toList();
    return new Scene(cluster, connect.apply(agents), hosts, directory, timeline, audience);
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
