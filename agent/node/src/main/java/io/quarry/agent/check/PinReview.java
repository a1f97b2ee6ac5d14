package io.quarry.agent.check;

import io.quarry.agent.repository.FixRequirements;
import io.quarry.common.api.Problem;
import io.quarry.coordinator.cluster.HostRecord;
import io.quarry.coordinator.plan.Pin;
import io.quarry.coordinator.plan.RepositoryState;
import io.quarry.coordinator.plan.StalePins;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Judges pins by the logs of the repositories that the pins serve. */
final class PinReview {
  /** The prefix of a fix that removes a stale pin; such a fix needs no worker. */
  private static final String FIX = "unpin-";

  private final Targets targets;
  private final List<HostRecord> hosts;
  private final Instant now;

  /** The newest state of a repository that is connected here. */
  @FunctionalInterface
  interface Targets {
    Optional<RepositoryState> newest(String repositoryKey) throws IOException;
  }

  /**
   * @param live the live hosts; empty when they are unknown
   */
  PinReview(Targets targets, List<HostRecord> live, Instant now) {
    this.targets = targets;
    this.hosts = live;
    this.now = now;
  }

  static String fixId(Pin pin) {
    return FIX + pin.id();
  }

  /** The pin that a fix is to remove; null for any other fix. */
  static @Nullable String pinOf(String fixId) {
    return fixId.startsWith(FIX) ? fixId.substring(FIX.length()) : null;
  }

  /** Pins of copies that are connected here and do not need the pins. */
  List<Pin> stale(RepositoryState state) throws IOException {
    List<Pin> stale = new ArrayList<>();
    for (Pin pin : state.pins().values()) {
      if (isStale(pin)) {
        stale.add(pin);
      }
    }
    return stale;
  }

  boolean isStale(Pin pin) throws IOException {
    if (!old(pin)) {
      return false;
    }
    Optional<RepositoryState> target = targets.newest(pin.targetKey());
    return target.isPresent() && !StalePins.isNeeded(pin, target.get());
  }

  private boolean old(Pin pin) {
    return Duration.between(pin.since(), now).compareTo(StalePins.YOUNG) > 0;
  }

  /** Pins of copies that no host can see. */
  void lost(RepositoryState state, List<Problem> found) {
    for (Pin pin : state.pins().values()) {
      String key = pin.targetKey();
      boolean seen =
          hosts.isEmpty() || hosts.stream().anyMatch(host -> FixRequirements.reaches(host, key));
      if (old(pin) && !seen) {
        found.add(
            new Problem(
                Problem.Kind.LOST_PIN,
                pin.imageId(),
                pin.id(),
                "it is kept since "
                    + pin.since()
                    + " for image "
                    + pin.targetImageId()
                    + " of a repository that no live host reaches",
                "connect that repository where this one is connected: then the copy goes on, or"
                    + " the pin is taken away"));
      }
    }
  }
}
