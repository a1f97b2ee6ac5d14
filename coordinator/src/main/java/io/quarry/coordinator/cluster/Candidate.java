package io.quarry.coordinator.cluster;

import java.util.Objects;

/** An agent that stands for SDM of a repository, or is it: where to forward a commit. */
public record Candidate(String hostId, String incarnation, String endpoint) {
  public Candidate {
    Objects.requireNonNull(hostId);
    Objects.requireNonNull(incarnation);
    Objects.requireNonNull(endpoint);
  }
}
