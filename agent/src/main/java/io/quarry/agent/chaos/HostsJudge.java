package io.quarry.agent.chaos;

import io.quarry.agent.chaos.Arena.Member;
import io.quarry.common.api.HostInfo;
import io.quarry.common.api.StorageException;
import io.quarry.common.client.StorageClient;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Looks whether every host is known again, and healthy, when nothing strikes any more. What a life
 * has left in ZooKeeper without a proof of its death goes with its session: who took that for his
 * own vanishes with it.
 */
final class HostsJudge {
  private static final Duration SESSION_OVER = LocalArena.SESSION.plusSeconds(1);

  /** A host whose name is still taken starts anew until it is not. */
  private static final Duration KNOWN_MAX = Duration.ofSeconds(30);

  private static final Duration EVERY = Duration.ofMillis(200);

  private final StorageClient client;
  private final History history;

  HostsJudge(StorageClient client, History history) {
    this.client = client;
    this.history = history;
  }

  void judge(List<Member> members, List<String> repositories) throws InterruptedException {
    Thread.sleep(SESSION_OVER);
    long deadline = System.nanoTime() + KNOWN_MAX.toNanos();
    Set<String> missing = missing(members, repositories);
    while (!missing.isEmpty() && System.nanoTime() < deadline) {
      Thread.sleep(EVERY);
      missing = missing(members, repositories);
    }
    if (!missing.isEmpty()) {
      history.violation(
          "not registered, or not with healthy repositories, although nothing strikes: " + missing);
    }
  }

  private Set<String> missing(List<Member> members, List<String> repositories) {
    Set<String> missing = members.stream().map(Member::hostId).collect(Collectors.toSet());
    try {
      for (HostInfo host : client.listHosts()) {
        Set<String> healthy = new HashSet<>();
        host.repositories().stream()
            .filter(HostInfo.HostRepository::healthy)
            .forEach(repository -> healthy.add(repository.repoId()));
        if (healthy.containsAll(repositories)) {
          missing.remove(host.hostId());
        }
      }
    } catch (StorageException e) {
      missing.add("all, " + e.code());
    }
    return missing;
  }
}
