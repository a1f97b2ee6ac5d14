package io.quarry.coordinator.plan;

import java.time.Duration;

/**
 * Tells which pins the target repositories still need. A call that is lost between its pin and its
 * copy leaves a stale pin. So does a host that dies before it releases its pin.
 */
public final class StalePins {
  /** Far longer than a caller takes from the pin to the copy. */
  public static final Duration YOUNG = Duration.ofMinutes(5);

  private StalePins() {}

  /**
   * Whether the target repository copies the pinned image, or reads it.
   *
   * @param target the newest state of the repository that the pin is for
   */
  public static boolean isNeeded(Pin pin, RepositoryState target) {
    return ExternalReferences.pinIds(target).contains(pin.id());
  }
}
