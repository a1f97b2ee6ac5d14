package io.quarry.agent.chaos;

import io.quarry.agent.chaos.Arena.Sights;
import io.quarry.agent.chaos.Arena.Strike;
import io.quarry.agent.dev.LocalHost;
import io.quarry.agent.dev.Pids;
import io.quarry.common.api.TaskInfo;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** SIGKILL and SIGSTOP for any process of the cluster. */
public final class ProcessFaults {
  /** The target of a fault that strikes the whole cluster. */
  public static final String EVERYTHING = "everything";

  static final String ZOOKEEPER = "zookeeper";

  /** The processes of a host that always run. */
  public static final int GUARDIAN_AND_AGENT = 2;

  /** The longest sleep of a worker: enough for the copy and for a takeover that is killed, too. */
  private static final Duration SLEEP_MAX = Duration.ofSeconds(25);

  /**
   * How long a worker sleeps on after its task was published: by then a guest may use the image.
   */
  private static final Duration SLEEP_ON = Duration.ofMillis(700);

  /** The time for a guest to write before the worker wakes up. */
  private static final Duration WRITTEN_MAX = Duration.ofSeconds(5);

  /** The worker's own publication may be reported only after the worker fell asleep. */
  private static final Duration OWN_NEWS_MAX = Duration.ofSeconds(1);

  private final List<LocalHost> hosts;
  private final ZooKeepers zooKeepers;

  public ProcessFaults(List<LocalHost> hosts, ZooKeepers zooKeepers) {
    this.hosts = List.copyOf(hosts);
    this.zooKeepers = zooKeepers;
  }

  public void reboot(String hostId) throws IOException {
    for (LocalHost host : hosts) {
      if (host.hostId().equals(hostId)) {
        host.reboot();
      }
    }
  }

  public Set<Fault.Kind> possible() {
    return possible(zooKeepers.size());
  }

  static Set<Fault.Kind> possible(int zooKeepers) {
    Set<Fault.Kind> kinds = EnumSet.range(Fault.Kind.KILL_AGENT, Fault.Kind.WIPE_ZOOKEEPER);
    if (zooKeepers > 1) {
      kinds.add(Fault.Kind.KILL_QUORUM);
    }
    return kinds;
  }

  public @Nullable Strike strike(Fault fault, Set<String> busy, Sights sights)
      throws IOException, InterruptedException {
    if (busy.contains(EVERYTHING)) {
      return null;
    }
    boolean zooKeeperFree = !busy.contains(ZOOKEEPER);
    return switch (fault.kind()) {
      case KILL_ZOOKEEPER -> zooKeeperFree ? killNodes(fault, 1) : null;
      case KILL_QUORUM -> zooKeeperFree ? killNodes(fault, zooKeepers.size() / 2 + 1) : null;
      case PAUSE_ZOOKEEPER -> zooKeeperFree ? pauseNode(fault) : null;
      case WIPE_ZOOKEEPER -> zooKeeperFree ? wipe() : null;
      case KILL_ALL_AGENTS -> killAll(busy, sights);
      default -> {
        LocalHost victim = victim(fault, busy, sights);
        yield victim == null ? null : strikeHost(fault, victim, sights);
      }
    };
  }

  /** Any host without a current fault; null when too few hosts would be left. */
  public @Nullable LocalHost any(Fault fault, Set<String> busy) {
    return among(fault, hosts.stream().map(LocalHost::hostId).collect(Collectors.toSet()), busy);
  }

  private @Nullable LocalHost victim(Fault fault, Set<String> busy, Sights sights) {
    Set<String> wanted =
        switch (fault.kind()) {
          case KILL_SDM -> sights.sdm().map(Set::of).orElse(Set.of());
          case KILL_WORKER ->
              sights.tasks().stream().map(TaskInfo::hostId).collect(Collectors.toSet());
          case ZOMBIE -> unfinished(sights).map(TaskInfo::hostId).collect(Collectors.toSet());
          case KILL_TOOL, PAUSE_TOOL ->
              hosts.stream()
                  .filter(host -> !host.tools().isEmpty())
                  .map(LocalHost::hostId)
                  .collect(Collectors.toSet());
          default -> hosts.stream().map(LocalHost::hostId).collect(Collectors.toSet());
        };
    return among(fault, wanted, busy);
  }

  /**
   * Unfinished tasks whose disk a guest can write to, first; without tasks that a woken worker
   * wrongly believes to run.
   */
  private static Stream<TaskInfo> unfinished(Sights sights) {
    return sights.tasks().stream()
        .filter(task -> {
          Duration age = Duration.between(task.startedAt(), Instant.now());
          return !sights.published(task, System.nanoTime() - age.toNanos());
        })
        .sorted(Comparator.comparing(task -> !sights.writable(task)));
  }

  private @Nullable LocalHost among(Fault fault, Set<String> wanted, Set<String> busy) {
    List<LocalHost> free =
        hosts.stream()
            .filter(host -> wanted.contains(host.hostId()) && !busy.contains(host.hostId()))
            .toList();
    // At least one host must be left to take over, and half of them when the target stays away for
    // longer.
    long left = hosts.stream().filter(each -> !busy.contains(each.hostId())).count();
    int kept = backSoon(fault.kind()) ? 1 : Math.max(1, hosts.size() / 2);
    return free.isEmpty() || left <= kept ? null : free.get(fault.roll() % free.size());
  }

  private static boolean backSoon(Fault.Kind kind) {
    return switch (kind) {
      case KILL_AGENT, KILL_SDM, KILL_WORKER, KILL_TOOL -> true;
      default -> false;
    };
  }

  private @Nullable Strike strikeHost(Fault fault, LocalHost host, Sights sights)
      throws IOException, InterruptedException {
    Set<String> name = Set.of(host.hostId());
    return switch (fault.kind()) {
      case KILL_AGENT, KILL_SDM, KILL_WORKER -> {
        host.killAgent();
        yield Strike.kill(
            "SIGKILL "
                + host.hostId()
                + switch (fault.kind()) {
                  case KILL_SDM -> ", which commits";
                  case KILL_WORKER -> ", which moves data";
                  default -> "";
                },
            name,
            sights);
      }
      case KILL_GUARDIAN -> {
        host.killGuardian();
        yield Strike.lasting(
                "SIGKILL guardian of " + host.hostId(), name, fault.lasts(), host::start)
            .killing(GUARDIAN_AND_AGENT, host.hostId());
      }
      case KILL_HOST -> {
        host.killHost();
        yield Strike.lasting(
                "SIGKILL everything on " + host.hostId(), name, fault.lasts(), host::start)
            .killing(GUARDIAN_AND_AGENT, host.hostId());
      }
      case KILL_TOOL -> {
        Optional<ProcessHandle> tool = host.tools().stream().findFirst();
        tool.ifPresent(ProcessHandle::destroyForcibly);
        yield tool.isEmpty() ? null : Strike.once("SIGKILL a tool of " + host.hostId(), 1);
      }
      case PAUSE_TOOL -> {
        Optional<ProcessHandle> tool = host.tools().stream().findFirst();
        yield tool.isEmpty() ? null : pauseTool(fault, host, tool.get());
      }
      case PAUSE_GUARDIAN -> {
        long pid = host.guardianPid();
        Pids.signal(pid, "STOP");
        yield Strike.lasting(
            "SIGSTOP guardian of " + host.hostId(), name, fault.lasts(), () -> Pids.resume(pid));
      }
      case PAUSE_AGENT -> pauseAgent(fault.lasts(), host, null, sights);
      case ZOMBIE -> {
        Optional<TaskInfo> task =
            unfinished(sights).filter(each -> each.hostId().equals(host.hostId())).findFirst();
        yield task.isEmpty() ? null : pauseAgent(SLEEP_MAX, host, task.get(), sights);
      }
      default -> throw new IllegalArgumentException(fault.kind() + " strikes no host");
    };
  }

  private static Strike pauseTool(Fault fault, LocalHost host, ProcessHandle tool)
      throws IOException, InterruptedException {
    Pids.signal(tool.pid(), "STOP");
    return Strike.lasting(
        "SIGSTOP a tool of " + host.hostId(),
        Set.of(),
        fault.lasts(),
        () -> Pids.resume(tool.pid()));
  }

  private static Strike pauseAgent(
      Duration lasts, LocalHost host, @Nullable TaskInfo task, Sights sights)
      throws IOException, InterruptedException {
    long agent = host.agentPid().orElseThrow(() -> new IOException("no agent yet"));
    Pids.signal(agent, "STOP");
    long began = System.nanoTime();
    long[] publishedAt = {0};
    return new Strike(
        "SIGSTOP " + host.hostId() + (task == null ? "" : " at work on " + task.fixId()),
        Set.of(host.hostId()),
        Set.of(),
        0,
        lasts,
        () -> {
          if (task == null) {
            return false;
          }
          if (publishedAt[0] == 0 && sights.published(task, began + OWN_NEWS_MAX.toNanos())) {
            publishedAt[0] = System.nanoTime();
          }
          if (publishedAt[0] == 0) {
            return false;
          }
          long since = System.nanoTime() - publishedAt[0];
          return since > WRITTEN_MAX.toNanos()
              || (sights.written(task) && since > SLEEP_ON.toNanos());
        },
        task,
        () -> Pids.resume(agent));
  }

  private Strike killAll(Set<String> busy, Sights sights) throws IOException {
    Set<String> killed = new HashSet<>();
    for (LocalHost host : hosts) {
      if (!busy.contains(host.hostId())) {
        host.killAgent();
        killed.add(host.hostId());
      }
    }
    return Strike.kill("SIGKILL all agents", killed, sights);
  }

  private Strike killNodes(Fault fault, int count) {
    List<Integer> nodes =
        IntStream.range(0, count)
            .mapToObj(each -> (fault.roll() + each) % zooKeepers.size())
            .toList();
    nodes.forEach(zooKeepers::kill);
    return Strike.lasting(
            "SIGKILL " + count + " of " + zooKeepers.size() + " ZooKeepers",
            Set.of(ZOOKEEPER),
            fault.lasts(),
            () -> {
              for (int node : nodes) {
                zooKeepers.start(node);
              }
            })
        .killing(count);
  }

  private Strike pauseNode(Fault fault) throws IOException, InterruptedException {
    int node = fault.roll() % zooKeepers.size();
    zooKeepers.pause(node);
    return Strike.lasting(
        "SIGSTOP 1 of " + zooKeepers.size() + " ZooKeepers",
        Set.of(ZOOKEEPER),
        fault.lasts(),
        () -> zooKeepers.resume(node));
  }

  private Strike wipe() throws IOException {
    for (int node = 0; node < zooKeepers.size(); node++) {
      zooKeepers.kill(node);
    }
    zooKeepers.wipe();
    for (int node = 0; node < zooKeepers.size(); node++) {
      zooKeepers.start(node);
    }
    return Strike.once("ZooKeeper wiped", zooKeepers.size());
  }
}
