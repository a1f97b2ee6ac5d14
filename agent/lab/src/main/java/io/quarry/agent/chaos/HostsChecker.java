package io.quarry.agent.chaos;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.quarry.agent.chaos.Arena.Member;
import io.quarry.common.api.CreateVirtualDiskRequest;
import io.quarry.common.api.HostInfo;
import io.quarry.common.api.ImageOptions;
import io.quarry.common.api.OpenInfo;
import io.quarry.common.api.OpenRequest;
import io.quarry.common.api.StatusQuery;
import io.quarry.common.api.StorageException;
import io.quarry.common.client.StorageClient;
import io.quarry.common.model.ImageState;
import java.io.IOException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;

/** Checks that every host is listed again, and healthy, after the faults. */
final class HostsChecker {
  /** A host whose name is still taken restarts until its name is free. */
  private static final Duration KNOWN_MAX = Duration.ofSeconds(30);

  private static final Duration SESSION_OVER = LocalArena.SESSION.plusSeconds(1);

  /** The time in which the host's agent starts, connects, and finds an SDM. */
  private static final Duration REBOOT_MAX = Duration.ofSeconds(60);

  private static final long DISK_BYTES = 1 << 20;
  private static final Duration EVERY = Duration.ofMillis(200);

  /** Ends a host's life, and begins the next one. */
  interface Return {
    String strike() throws IOException, InterruptedException;
  }

  private static final Duration ANSWER_MAX = Duration.ofSeconds(5);
  private static final int OK = 200;

  private final HttpClient http = HttpClient.newHttpClient();
  private final StorageClient client;
  private final History history;
  private final List<Member> members;
  private final List<String> repositories;

  HostsChecker(
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
    for (Member member : members) {
      if (!within(KNOWN_MAX, () -> unwell(member).isEmpty())) {
        history.violation(member.hostId() + " is not well: " + unwell(member));
      }
    }
  }

  /**
   * The faults that the agent reports about itself and its threads; empty when the agent is
   * healthy.
   */
  private String unwell(Member member) {
    HttpRequest request =
        HttpRequest.newBuilder(member.agent().resolve("/health")).timeout(ANSWER_MAX).build();
    try {
      HttpResponse<String> answer = http.send(request, BodyHandlers.ofString());
      return answer.statusCode() == OK ? "" : answer.body();
    } catch (IOException e) {
      return e.toString();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return e.toString();
    }
  }

  /**
   * Checks that a host is listed after a fast restart. A life that ends without a proof of its
   * death leaves a record in ZooKeeper until its session ends. A new life that mistook that record
   * for its own would vanish with it for good. A host that only loses its session on a slow machine
   * registers again.
   */
  void judgeReturn(Return returning) throws IOException, InterruptedException {
    Set<String> before = hosts().stream().map(HostInfo::incarnation).collect(Collectors.toSet());
    String hostId = returning.strike();
    if (!within(KNOWN_MAX, () -> life(hostId).filter(each -> !before.contains(each)).isPresent())) {
      history.violation(hostId + " is not registered " + KNOWN_MAX + " after its guardian's death");
      return;
    }
    Thread.sleep(SESSION_OVER);
    if (!within(KNOWN_MAX, () -> life(hostId).isPresent())) {
      history.violation(
          hostId + " was registered, and vanished with the session of its previous life");
    }
    judge();
  }

  /**
   * Checks a reboot. The host must end the opens of its earlier boots, and no others: not those of
   * another host, and not its own new ones.
   */
  void judgeReboot(Arena arena) throws IOException, InterruptedException {
    Member rebooting = members.getFirst();
    String before = open(rebooting);
    String elsewhere = members.size() > 1 ? open(members.getLast()) : "";
    arena.reboot(rebooting.hostId());
    String since = open(rebooting);
    if (!within(REBOOT_MAX, () -> isOver(before))) {
      history.violation(
          rebooting.hostId()
              + " has rebooted, and "
              + before
              + " is open "
              + REBOOT_MAX
              + " later");
    }
    for (String kept : List.of(elsewhere, since)) {
      if (!kept.isEmpty() && !opens().contains(kept)) {
        history.violation(
            kept + " ended with a boot of " + rebooting.hostId() + " that is not its");
      }
    }
    history.moment(rebooting.hostId() + " has rebooted, and its opens ended");
  }

  /** Opens a new disk as a VM on that host would. */
  private String open(Member member) {
    StorageClient agent = client.withAgents(List.of(member.agent()));
    String repoId = repositories.getFirst();
    String disk =
        agent
            .createVirtualDisk(
                repoId,
                new CreateVirtualDiskRequest(
                    DISK_BYTES, null, JsonNodeFactory.instance.objectNode(), ImageOptions.DEFAULT),
                null)
            .imageId();
    var _ = agent.getImageStatus(repoId, disk, new StatusQuery(KNOWN_MAX, ImageState.OPTIMIZED, 0));
    return agent.openImage(repoId, disk, new OpenRequest(false, "judge"), null).openId();
  }

  private Set<String> opens() {
    return client.listOpens(repositories.getFirst(), null, 0).stream()
        .map(OpenInfo::openId)
        .collect(Collectors.toSet());
  }

  private boolean isOver(String openId) {
    try {
      return !opens().contains(openId);
    } catch (StorageException e) {
      return false;
    }
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
