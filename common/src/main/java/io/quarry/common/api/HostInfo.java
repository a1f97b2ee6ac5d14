package io.quarry.common.api;

import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A live host.
 *
 * @param endpoint the base URL of its agent
 * @param incarnation changes each time the agent starts
 * @param drainedSince since when the host takes no fixes; null when it takes fixes
 * @param clockAheadSeconds how far the host's clock is ahead of the other hosts' clocks, negative
 *     when behind; null when it is right
 */
public record HostInfo(
    String hostId,
    String incarnation,
    String endpoint,
    Instant startedAt,
    String version,
    List<HostRepository> repositories,
    int runningFixes,
    int heavyFixesMax,
    @Nullable Instant drainedSince,
    @Nullable Double clockAheadSeconds) {
  public HostInfo {
    repositories = List.copyOf(repositories);
  }

  /**
   * @param sdm whether this host commits the repository's metadata
   */
  public record HostRepository(String repoId, String repoFormat, boolean healthy, boolean sdm) {}
}
