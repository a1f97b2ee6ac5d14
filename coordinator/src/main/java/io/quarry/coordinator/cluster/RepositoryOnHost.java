package io.quarry.coordinator.cluster;

import java.util.Objects;

/** A repository as one host has it connected: the transient name there, and whether it answers. */
public record RepositoryOnHost(String repoId, String repoFormat, boolean healthy) {
  public RepositoryOnHost {
    Objects.requireNonNull(repoId);
    Objects.requireNonNull(repoFormat);
  }
}
