package io.quarry.agent.service;

import io.quarry.coordinator.cluster.HostRecord;
import io.quarry.coordinator.cluster.RepositoryOnHost;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Repositories by the names that hosts have for them.
 *
 * @param hosts the live hosts
 */
record RepositoryNames(List<HostRecord> hosts) {
  /** Null when no live host has connected the repository. */
  @Nullable String of(String repositoryKey) {
    return hosts.stream()
        .map(host -> host.repositories().get(repositoryKey))
        .filter(Objects::nonNull)
        .map(RepositoryOnHost::repoId)
        .findFirst()
        .orElse(null);
  }
}
