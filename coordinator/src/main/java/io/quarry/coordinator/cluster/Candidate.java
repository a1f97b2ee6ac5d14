package io.quarry.coordinator.cluster;

import java.util.Objects;

/** An agent that is a candidate for SDM of a repository, or leads: agents forward commits to it. */
public record Candidate(String hostId, String incarnation, String endpoint) {
  public Candidate {
    Objects.requireNonNull(hostId);
    Objects.requireNonNull(incarnation);
    Objects.requireNonNull(endpoint);
  }
}
