package io.quarry.agent.chaos;

import io.quarry.agent.chaos.Arena.Member;
import io.quarry.common.api.HostInfo;
import io.quarry.common.api.StorageException;
import io.quarry.common.client.StorageClient;
import java.io.IOException;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;

/** Looks whether every host is known again, and healthy, when nothing strikes any more. */
final class HostsJudge {
  /** A host whose name is still taken starts anew until it is not. */
  private static final Duration KNOWN_MAX = Duration.ofSeconds(30);

  private static final Duration SESSION_OVER = LocalArena.SESSION.plusSeconds(1);
  private static final Duration EVERY = Duration.ofMillis(200);

  /** Ends a host's life, and begins the next one. */
  interface Return {
    String strike() throws IOException, InterruptedException;
  }

  private final StorageClient client;
  private final History history;
  private final List<Member> members;
  private final List<String> repositories;

  HostsJudge(
      StorageClient client, History history, List<Member> members, List<String> repositories) {
    this.client = client;
    this.history = history;
    this.members = members;
    this.repositories = repositories;
  }

  void judge() throws InterruptedException {
    if (!within(KNOWN_MAX, () -> missing().isEmpty())) {
      history.violation(
          "not registered, or not with healthy repositories, although nothing strikes: "
              + missing());
    }
  }

  /**
   * What a life has left in ZooKeeper without a proof of its death goes with its session: who took
   * that for his own vanishes with it, and is not seen again for as long as he has nothing to tell.
   */
  void judgeReturn(Return returning) throws IOException, InterruptedException {
    Set<String> before = hosts().stream().map(HostInfo::incarnation).collect(Collectors.toSet());
    String hostId = returning.strike();
    if (!within(KNOWN_MAX, () -> life(hostId).filter(each -> !before.contains(each)).isPresent())) {
      history.violation(hostId + " is not registered " + KNOWN_MAX + " after its guardian's death");
      return;
    }
    Thread.sleep(SESSION_OVER);
    if (life(hostId).isEmpty()) {
      history.violation(
          hostId + " was registered, and vanished with the session of its previous life");
    }
    judge();
  }

  private static boolean within(Duration time, BooleanSupplier met) throws InterruptedException {
    long deadline = System.nanoTime() + time.toNanos();
    while (!met.getAsBoolean()) {
      if (System.nanoTime() > deadline) {
        return false;
      }
      Thread.sleep(EVERY);
    }
    return true;
  }

  private Optional<String> life(String hostId) {
    return hosts().stream()
        .filter(host -> host.hostId().equals(hostId))
        .map(HostInfo::incarnation)
        .findFirst();
  }

  private Set<String> missing() {
    Set<String> missing = members.stream().map(Member::hostId).collect(Collectors.toSet());
    for (HostInfo host : hosts()) {
      Set<String> healthy = new HashSet<>();
      host.repositories().stream()
          .filter(HostInfo.HostRepository::healthy)
          .forEach(repository -> healthy.add(repository.repoId()));
      if (healthy.containsAll(repositories)) {
        missing.remove(host.hostId());
      }
    }
    return missing;
  }

  private List<HostInfo> hosts() {
    try {
      return client.listHosts();
    } catch (StorageException e) {
      return List.of();
    }
  }
}
