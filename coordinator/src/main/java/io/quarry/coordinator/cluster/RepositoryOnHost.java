package io.quarry.coordinator.cluster;

import java.util.Objects;

/**
 * A repository as connected on one host: the transient name there, and whether the storage answers.
 */
public record RepositoryOnHost(String repoId, String repoFormat, boolean healthy) {
  public RepositoryOnHost {
    Objects.requireNonNull(repoId);
    Objects.requireNonNull(repoFormat);
  }
}
