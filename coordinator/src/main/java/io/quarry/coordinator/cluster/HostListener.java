package io.quarry.coordinator.cluster;

/** Called on the thread {@code quarry-hosts}. */
public interface HostListener {
  /** Who is live, or what they say about themselves, has changed. */
  void hostsChanged();

  /**
   * While this agent was out of reach, it was declared dead or another agent took its name. It is
   * no longer registered, and should end itself.
   */
  default void rejected(HostRejectedException why) {}
}
