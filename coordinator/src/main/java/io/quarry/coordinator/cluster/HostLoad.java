package io.quarry.coordinator.cluster;

/** How busy a host is, for the choice of a host for new work. */
public record HostLoad(int runningFixes, int heavyFixesMax, int cheapInFlight) {
  public static final HostLoad NONE = new HostLoad(0, 0, 0);
}
