package io.quarry.coordinator.cluster;

import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * An agent as the cluster sees it.
 *
 * @param hostId the machine's name, the same in every life
 * @param incarnation this life of the agent; never used again
 * @param endpoint URL of its API
 * @param repositories the agent's connected repositories, by repository key
 * @param version of its software
 * @param drainedSince since when the host takes no fixes; null when it takes fixes
 * @param features of repositories that its software knows; none for agents older than features
 * @param clock null before the first comparison, and for older versions
 * @param booted null when the kernel tells no boot, and for older versions
 */
public record HostRecord(
    String hostId,
    String incarnation,
    String endpoint,
    Instant startedAt,
    Map<String, RepositoryOnHost> repositories,
    HostLoad load,
    String version,
    @Nullable Instant drainedSince,
    List<String> features,
    @Nullable ClockReading clock,
    @Nullable Booted booted) {
  public HostRecord(
      String hostId,
      String incarnation,
      String endpoint,
      Instant startedAt,
      @Nullable Map<String, RepositoryOnHost> repositories,
      @Nullable HostLoad load,
      @Nullable String version,
      @Nullable Instant drainedSince,
      @Nullable List<String> features,
      @Nullable ClockReading clock,
      @Nullable Booted booted) {
    this.hostId = Znodes.requireName(hostId, "host id");
    this.incarnation = Znodes.requireName(incarnation, "incarnation");
    this.endpoint = Objects.requireNonNull(endpoint);
    this.startedAt = Objects.requireNonNull(startedAt);
    this.repositories = repositories == null ? Map.of() : Map.copyOf(repositories);
    this.load = load == null ? HostLoad.NONE : load;
    this.version = version == null ? "unknown" : version;
    this.drainedSince = drainedSince;
    this.features = features == null ? List.of() : List.copyOf(features);
    this.clock = clock;
    this.booted = booted;
  }

  /** For a host whose clock has not been compared yet, and whose boot is unknown. */
  public HostRecord(
      String hostId,
      String incarnation,
      String endpoint,
      Instant startedAt,
      @Nullable Map<String, RepositoryOnHost> repositories,
      @Nullable HostLoad load,
      @Nullable String version,
      @Nullable Instant drainedSince,
      @Nullable List<String> features) {
    this(
        hostId,
        incarnation,
        endpoint,
        startedAt,
        repositories,
        load,
        version,
        drainedSince,
        features,
        null,
        null);
  }

  /** Whether the host is to take no work. */
  public boolean drained() {
    return drainedSince != null;
  }

  public HostRecord withRepositories(Map<String, RepositoryOnHost> connected) {
    return new HostRecord(
        hostId,
        incarnation,
        endpoint,
        startedAt,
        connected,
        load,
        version,
        drainedSince,
        features,
        clock,
        booted);
  }

  public HostRecord withLoad(HostLoad now) {
    return new HostRecord(
        hostId,
        incarnation,
        endpoint,
        startedAt,
        repositories,
        now,
        version,
        drainedSince,
        features,
        clock,
        booted);
  }

  public HostRecord withClock(@Nullable ClockReading now) {
    return new HostRecord(
        hostId,
        incarnation,
        endpoint,
        startedAt,
        repositories,
        load,
        version,
        drainedSince,
        features,
        now,
        booted);
  }
}
