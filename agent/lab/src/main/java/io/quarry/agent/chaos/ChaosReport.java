package io.quarry.agent.chaos;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The faults of a run, and how the cluster handled them.
 *
 * @param timeline faults and violations in the order in which they happened
 * @param missing faults that could not be tried here, and why
 * @param faults by kind
 * @param kills faults that end processes without warning
 * @param killed guardians, agents, tools and ZooKeepers that these faults ended
 * @param zombies workers that woke up after another host had published their work
 * @param acknowledged calls, at the first try or when they were repeated
 * @param unknown calls whose first try ended with an unknown outcome
 * @param commits in all logs
 * @param takeovers of unfinished data work by another host
 * @param takeover the time from a SIGKILL to a takeover; null when none was seen
 * @param compared images whose bytes were compared in the end
 * @param settled how long the cluster took to come to rest
 */
public record ChaosReport(
    long seed,
    Duration duration,
    List<Moment> timeline,
    List<String> missing,
    Map<Fault.Kind, Integer> faults,
    int kills,
    int killed,
    int zombies,
    List<Calls> calls,
    int acknowledged,
    int refused,
    int unknown,
    long commits,
    int takeovers,
    @Nullable Latency takeover,
    long movedBytes,
    long redoneBytes,
    int compared,
    Duration settled,
    List<String> violations) {
  public ChaosReport {
    timeline = List.copyOf(timeline);
    missing = List.copyOf(missing);
    faults = Map.copyOf(faults);
    calls = List.copyOf(calls);
    violations = List.copyOf(violations);
  }

  /** An event of the run. */
  public record Moment(Duration at, String text) {}

  /** Calls of one operation, and how long the first try of the acknowledged ones took. */
  public record Calls(
      String operation,
      int acknowledged,
      Map<String, Integer> refused,
      int unknown,
      @Nullable Latency latency) {
    public Calls {
      refused = Map.copyOf(refused);
    }
  }

  /** Percentiles. */
  public record Latency(int count, Duration p50, Duration p99, Duration max) {
    static @Nullable Latency of(List<Duration> measured) {
      if (measured.isEmpty()) {
        return null;
      }
      List<Duration> sorted = measured.stream().sorted().toList();
      return new Latency(sorted.size(), at(sorted, 50), at(sorted, 99), sorted.getLast());
    }

    private static Duration at(List<Duration> sorted, int percent) {
      return sorted.get((sorted.size() * percent + 99) / 100 - 1);
    }
  }

  public int faultsInAll() {
    return faults.values().stream().mapToInt(Integer::intValue).sum();
  }

  public int callsInAll() {
    return acknowledged + refused;
  }

  /** The last line of a run. */
  public String verdict() {
    return "faults: %d, kills: %d, killed processes: %d, calls: %d, acknowledged: %d, violations: %d"
        .formatted(faultsInAll(), kills, killed, callsInAll(), acknowledged, violations.size());
  }
}
