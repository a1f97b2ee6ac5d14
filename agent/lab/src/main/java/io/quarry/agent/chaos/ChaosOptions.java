package io.quarry.agent.chaos;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * @param seed decides faults and calls, but not the order of real threads and processes
 * @param duration of the faults; outstanding work is waited for afterwards
 * @param hosts the number of agents
 * @param clients the number of concurrent callers
 * @param pace between two faults, on average
 * @param faults kinds that may strike, as far as the arena can cause them
 * @param directory for repositories, logs and ZooKeeper's data; null for a temporary one
 * @param keep whether the directory stays afterwards
 */
public record ChaosOptions(
    long seed,
    Duration duration,
    int hosts,
    int clients,
    Duration pace,
    Set<Fault.Kind> faults,
    @Nullable Path directory,
    boolean keep) {
  public static final int HOSTS_MIN = 2;
  public static final int HOSTS_MAX = 9;
  public static final int CLIENTS_MAX = 100;
  public static final Duration PACE = Duration.ofMillis(1500);
  public static final Duration PACE_MIN = Duration.ofMillis(100);

  public ChaosOptions {
    faults = Set.copyOf(faults);
    require(
        hosts >= HOSTS_MIN && hosts <= HOSTS_MAX,
        "--hosts is from " + HOSTS_MIN + " to " + HOSTS_MAX);
    require(clients >= 1 && clients <= CLIENTS_MAX, "--clients is from 1 to " + CLIENTS_MAX);
    require(duration.isPositive(), "--duration is more than nothing");
    require(pace.compareTo(PACE_MIN) >= 0, "--pace is at least " + PACE_MIN.toMillis() + " ms");
    require(!faults.isEmpty(), "--faults names at least one kind");
  }

  private static void require(boolean met, String what) {
    if (!met) {
      throw new IllegalArgumentException(what);
    }
  }
}
