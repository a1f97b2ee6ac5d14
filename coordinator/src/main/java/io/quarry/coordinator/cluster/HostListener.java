package io.quarry.coordinator.cluster;

/** Called on the thread {@code quarry-hosts}. */
public interface HostListener {
  /** The set of live hosts, or a live host's record, has changed. */
  void hostsChanged();

  /**
   * While this agent was out of reach, it was declared dead or another agent took its name. The
   * agent is no longer registered, and should end itself.
   */
  default void rejected(HostRejectedException why) {}
}
