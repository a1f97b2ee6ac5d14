package io.quarry.coordinator.cluster;

import java.util.Objects;

/** One life of one agent, as the owner of a claim. */
public record Claimant(String hostId, String incarnation) {
  public Claimant {
    Objects.requireNonNull(hostId);
    Objects.requireNonNull(incarnation);
  }
}
