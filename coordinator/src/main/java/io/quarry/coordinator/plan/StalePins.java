package io.quarry.coordinator.plan;

import java.time.Duration;

/**
 * Whether the repositories that pins are for still need them: a call that was lost between the pin
 * and what it was for leaves one behind, and so does a host that dies before it lets go.
 */
public final class StalePins {
  /** Far longer than a caller takes from its pin to its copy. */
  public static final Duration YOUNG = Duration.ofMinutes(5);

  private StalePins() {}

  /**
   * Whether an image is being made out of what the pin keeps, or is read there.
   *
   * @param target the newest state of the repository that the pin is for
   */
  public static boolean isNeeded(Pin pin, RepositoryState target) {
    return ExternalReferences.pinIds(target).contains(pin.id());
  }
}
