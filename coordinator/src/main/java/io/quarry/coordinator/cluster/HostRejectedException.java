package io.quarry.coordinator.cluster;

/**
 * This host may not join the cluster: its name is in use, or this very incarnation counts as dead.
 */
public final class HostRejectedException extends Exception {
  private final String incarnation;

  HostRejectedException(String message, String incarnation) {
    super(message);
    this.incarnation = incarnation;
  }

  /**
   * The incarnation that blocks this one: another agent's, or this agent's own after it was
   * declared dead.
   */
  public String incarnation() {
    return incarnation;
  }
}
