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
   * The incarnation that stands in the way: another agent's, or one's own that was declared dead.
   */
  public String incarnation() {
    return incarnation;
  }
}
