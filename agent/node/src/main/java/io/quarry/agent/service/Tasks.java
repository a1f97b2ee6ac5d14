package io.quarry.agent.service;

import com.fasterxml.jackson.core.JsonProcessingException;
import io.quarry.agent.fix.FixScheduler;
import io.quarry.agent.repository.ConnectedRepository;
import io.quarry.agent.repository.Drain;
import io.quarry.agent.repository.HostClock;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.HostInfo;
import io.quarry.common.api.HostInfo.HostRepository;
import io.quarry.common.api.Json;
import io.quarry.common.api.StorageException;
import io.quarry.common.api.TaskInfo;
import io.quarry.coordinator.cluster.ClusterUnavailableException;
import io.quarry.coordinator.cluster.HostRecord;
import io.quarry.coordinator.cluster.HostRegistry;
import io.quarry.coordinator.cluster.ObservedClaim;
import io.quarry.coordinator.log.LogState;
import io.quarry.coordinator.plan.FenceMappings;
import io.quarry.coordinator.plan.ReapOpens;
import io.quarry.coordinator.plan.Reply;
import io.quarry.coordinator.plan.StopFix;
import io.quarry.coordinator.plan.Volume;
import io.quarry.coordinator.thread.Deadline;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.UUID;
import java.util.concurrent.TimeoutException;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Hosts, and the fixes that run on them. */
public final class Tasks {
  private static final Logger LOG = LoggerFactory.getLogger(Tasks.class);

  private static final Duration STOP_WAIT = Duration.ofSeconds(30);
  private static final long LOOK_AGAIN_MILLIS = 20;

  private final String hostId;
  private final Repositories repositories;
  private final FixScheduler fixes;
  private final HostRegistry registry;
  private final Drain drain;
  private final KeptThrottle throttle;
  private final PeerApi peers;
  private final LifeSigns lifeSigns;
  private final DiskGrowth growth;

  public Tasks(
      String hostId,
      Repositories repositories,
      StorageIo io,
      FixScheduler fixes,
      HostRegistry registry,
      Drain drain,
      KeptThrottle throttle,
      PeerApi peers) {
    this.hostId = hostId;
    this.repositories = repositories;
    this.fixes = fixes;
    this.registry = registry;
    this.drain = drain;
    this.throttle = throttle;
    this.peers = peers;
    this.growth = new DiskGrowth(io);
    this.lifeSigns = new LifeSigns(hostId, registry, repositories::all, peers);
  }

  PeerApi peers() {
    return peers;
  }

  Drain drain() {
    return drain;
  }

  /** Limits the copies of this host, from now on and after a restart of its agent. */
  void throttle(long bytesPerSecond) {
    throttle.set(bytesPerSecond);
  }

  List<HostRecord> live() {
    return registry.live();
  }

  List<HostInfo> hosts() {
    return registry.live().stream().map(this::host).toList();
  }

  private HostInfo host(HostRecord host) {
    List<HostRepository> connected =
        host.repositories().entrySet().stream()
            .map(entry ->
                new HostRepository(
                    entry.getValue().repoId(),
                    entry.getValue().repoFormat(),
                    entry.getValue().healthy(),
                    leads(host, entry.getKey())))
            .sorted(java.util.Comparator.comparing(HostRepository::repoId))
            .toList();
    return new HostInfo(
        host.hostId(),
        host.incarnation(),
        host.endpoint(),
        host.startedAt(),
        host.version(),
        connected,
        host.load().runningFixes(),
        host.load().heavyFixesMax(),
        host.drainedSince(),
        clockAheadSeconds(host));
  }

  /** Null when the difference is too small to report. */
  private @Nullable Double clockAheadSeconds(HostRecord host) {
    Duration ahead = registry.clockAhead(host.incarnation());
    return ahead.abs().compareTo(HostClock.WARN) > 0 ? ahead.toMillis() / 1e3 : null;
  }

  private boolean leads(HostRecord host, String repositoryKey) {
    return repositories
        .byKey(repositoryKey)
        .flatMap(ConnectedRepository::leader)
        .map(leader -> leader.incarnation().equals(host.incarnation()))
        .orElse(false);
  }

  /** This host's tasks come from memory, the tasks of other hosts from ZooKeeper. */
  List<TaskInfo> list(@Nullable String ofHost) {
    List<TaskInfo> all = new ArrayList<>(fixes.tasks());
    for (ConnectedRepository repository : repositories.all()) {
      Map<String, ObservedClaim> claims = repository.queue().claims();
      claims.values().stream()
          .filter(claim -> !claim.claimant().hostId().equals(hostId))
          .map(claim -> read(claim, repository))
          .filter(java.util.Objects::nonNull)
          .forEach(all::add);
    }
    return ofHost == null
        ? all
        : all.stream().filter(task -> task.hostId().equals(ofHost)).toList();
  }

  private static @Nullable TaskInfo read(ObservedClaim claim, ConnectedRepository here) {
    if (claim.progress().isEmpty()) {
      return null;
    }
    try {
      TaskInfo there = Json.MAPPER.readValue(claim.progress().get(), TaskInfo.class);
      return new TaskInfo(
          there.taskId(),
          there.hostId(),
          here.repoId(),
          there.fixId(),
          there.type(),
          there.imageId(),
          there.epoch(),
          there.startedAt(),
          there.bytesPerSecond(),
          there.progress());
    } catch (JsonProcessingException e) {
      LOG.debug("The progress of {} cannot be read: {}", claim.name(), e.getOriginalMessage());
      return null;
    }
  }

  void stop(String taskId) {
    TaskId task = TaskId.parse(taskId);
    ConnectedRepository repository = holderOf(task);
    repository.commit(
        UUID.randomUUID().toString(),
        new StopFix(task.fixId(), "stopped by request on " + task.hostId()));
    try {
      letGo(task, taskId, "it was stopped by request");
    } catch (StorageException e) {
      // The caller wants the task not to run, and it does not. An unreachable host learns the stop
      // from the log.
      if (e.code() != ErrorCode.TASK_NOT_FOUND) {
        LOG.info("Task {} was stopped, its host does not say when: {}", taskId, e.getMessage());
        awaitGone(taskId);
      }
    }
  }

  /**
   * Only the worker's host knows whether the worker has let go. The claim that is seen here ends as
   * soon as the fix has left the queue.
   */
  private void awaitGone(String taskId) {
    Deadline deadline = Deadline.after(STOP_WAIT);
    while (list(null).stream().anyMatch(task -> task.taskId().equals(taskId))) {
      if (deadline.passed()) {
        throw stillRunning(taskId);
      }
      try {
        Thread.sleep(LOOK_AGAIN_MILLIS);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return;
      }
    }
  }

  void release(String taskId) {
    letGo(TaskId.parse(taskId), taskId, "it was released by request");
  }

  /** Returns when no part of the task runs any more. */
  private void letGo(TaskId task, String taskId, String reason) {
    if (!task.hostId().equals(hostId)) {
      HostRecord host = registry.find(task.hostId()).orElseThrow(() -> taskNotFound(taskId));
      peers.at(host).releaseTask(taskId);
      return;
    }
    try {
      if (!fixes.letGo(taskId, reason)) {
        throw taskNotFound(taskId);
      }
    } catch (TimeoutException e) {
      throw stillRunning(taskId);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private ConnectedRepository holderOf(TaskId task) {
    return repositories.all().stream()
        .filter(one -> one.state().repository().fixes().containsKey(task.fixId()))
        .findAny()
        .orElseThrow(() -> taskNotFound(task.text()));
  }

  /** Drains this host, or passes the call on to the host in question, which keeps the drain. */
  void drain(String drainedHostId, boolean drained) {
    ArgumentChecks.check("hostId", drainedHostId);
    if (!drainedHostId.equals(hostId)) {
      HostRecord host = registry.find(drainedHostId).orElseThrow(() -> hostNotFound(drainedHostId));
      peers.at(host).drainHost(drainedHostId, drained);
      return;
    }
    try {
      if (drained) {
        drain.begin(Instant.now());
        fixes.drain();
      } else {
        drain.end();
      }
    } catch (TimeoutException e) {
      throw new StorageException(
          ErrorCode.REPOSITORY_UNRESPONSIVE,
          "host " + hostId + " is drained, but " + e.getMessage(),
          hostId,
          "repeat the call, or list the tasks to see when they are gone",
          e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static StorageException hostNotFound(String hostId) {
    return new StorageException(
        ErrorCode.HOST_NOT_FOUND,
        "no host " + hostId + " is live",
        hostId,
        "list the hosts to see which are");
  }

  /**
   * Fences a host that an administrator declares dead. From then on other hosts may continue its
   * files, and its opens end.
   */
  void fence(String fencedHostId) {
    ArgumentChecks.check("hostId", fencedHostId);
    requireGone(fencedHostId);
    if (!known(fencedHostId)) {
      throw new StorageException(
          ErrorCode.HOST_NOT_FOUND,
          "no host " + fencedHostId + " is known: it holds no fix and has no image open",
          fencedHostId,
          "compare the name with what check (quarry check REPO) says is in the way; if it is right,"
              + " there is nothing to end");
    }
    // One storage that does not answer must not hold up the other repositories.
    @Nullable StorageException failure = null;
    for (ConnectedRepository repository : repositories.all()) {
      for (ObservedClaim claim : repository.queue().claims().values()) {
        if (claim.claimant().hostId().equals(fencedHostId)) {
          confirmDead(fencedHostId, claim.claimant().incarnation());
        }
      }
      writers(repository, fencedHostId)
          .map(writer -> writer.worker().incarnation())
          .distinct()
          .forEach(incarnation -> confirmDead(fencedHostId, incarnation));
      try {
        growth.adopt(
            repository,
            repository.state().repository().opens().values().stream()
                .filter(open -> open.hostId().equals(fencedHostId))
                .toList());
        Reply reaped = repository.commit(UUID.randomUUID().toString(), new ReapOpens(fencedHostId));
        endMappings(repository, fencedHostId, repository.atLeast(reaped.commit()));
      } catch (StorageException e) {
        failure = e;
      }
    }
    if (failure != null) {
      throw failure;
    }
  }

  /** The host's devices went with its kernel, or are of no use to it: an administrator says so. */
  private static void endMappings(ConnectedRepository repository, String hostId, LogState state) {
    Map<String, Long> mappings = state.repository().extents().mappingsBy(hostId);
    if (!mappings.isEmpty()) {
      LOG.warn("An administrator vouches for {} mappings of host {}", mappings.size(), hostId);
      repository.commit(UUID.randomUUID().toString(), new FenceMappings(hostId, mappings));
    }
  }

  private void requireGone(String fencedHostId) {
    String alive;
    try {
      alive = lifeSigns.of(fencedHostId);
    } catch (ClusterUnavailableException e) {
      throw zooKeeperSilent(fencedHostId, e);
    }
    if (alive != null) {
      throw new StorageException(
          ErrorCode.INVALID_ARGUMENT,
          "host " + fencedHostId + " is alive: " + alive,
          fencedHostId,
          "stop it first; fencing is for hosts that are gone. What the host had open before it"
              + " booted is ended with closeOpens (quarry open close --host "
              + fencedHostId
              + " --dead)");
    }
  }

  /** Whether the cluster or a log knows the host: a mistyped name must not be fenced. */
  private boolean known(String absentHostId) {
    return registry.buried(absentHostId)
        || repositories.all().stream()
            .anyMatch(repository ->
                repository.queue().claims().values().stream()
                        .anyMatch(claim -> claim.claimant().hostId().equals(absentHostId))
                    || repository.state().repository().opens().values().stream()
                        .anyMatch(open -> open.hostId().equals(absentHostId))
                    || !repository.state().repository().extents().mappingsBy(absentHostId).isEmpty()
                    || writers(repository, absentHostId).findAny().isPresent());
  }

  /** Merges in place of that host, which the log names until their end is known. */
  private static Stream<Volume.Writer> writers(ConnectedRepository repository, String ofHost) {
    return repository.state().repository().volumes().values().stream()
        .map(Volume::writer)
        .filter(Objects::nonNull)
        .filter(writer -> writer.worker().hostId().equals(ofHost));
  }

  private void confirmDead(String deadHostId, String incarnation) {
    try {
      registry.confirmDead(deadHostId, incarnation, "administrator");
    } catch (ClusterUnavailableException e) {
      throw zooKeeperSilent(deadHostId, e);
    }
  }

  private static StorageException zooKeeperSilent(String hostId, ClusterUnavailableException e) {
    return new StorageException(
        ErrorCode.CLUSTER_UNAVAILABLE,
        "ZooKeeper does not answer: " + e.getMessage(),
        hostId,
        "repeat the call when ZooKeeper is back",
        e);
  }

  private static StorageException stillRunning(String taskId) {
    return new StorageException(
        ErrorCode.REPOSITORY_UNRESPONSIVE,
        "task " + taskId + " has been told to let go but has not yet",
        taskId,
        "list the tasks to see when it is gone");
  }

  private static StorageException taskNotFound(String taskId) {
    return new StorageException(
        ErrorCode.TASK_NOT_FOUND,
        "no task " + taskId + " is running",
        taskId,
        "list the tasks; it may have ended, or gone on elsewhere under another epoch");
  }

  static StorageException openNotFound(String imageId, String openId) {
    return new StorageException(
        ErrorCode.OPEN_NOT_FOUND,
        "open " + openId + " of image " + imageId + " has been closed meanwhile",
        openId,
        "open the image again");
  }

  /** A task id, {@code hostId:fixId:epoch}. */
  private record TaskId(String text, String hostId, String fixId) {
    static TaskId parse(String text) {
      int first = text.indexOf(':');
      int last = text.lastIndexOf(':');
      if (first <= 0 || last <= first) {
        throw taskNotFound(text);
      }
      return new TaskId(text, text.substring(0, first), text.substring(first + 1, last));
    }
  }
}
