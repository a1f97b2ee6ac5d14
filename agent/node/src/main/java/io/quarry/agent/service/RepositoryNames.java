package io.quarry.agent.service;

import io.quarry.coordinator.cluster.HostRecord;
import io.quarry.coordinator.cluster.RepositoryOnHost;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Repositories by the names that hosts have for them.
 *
 * @param hosts those that live
 */
record RepositoryNames(List<HostRecord> hosts) {
  /** Null when no live host has connected it. */
  @Nullable String of(String repositoryKey) {
    return hosts.stream()
        .map(host -> host.repositories().get(repositoryKey))
        .filter(Objects::nonNull)
        .map(RepositoryOnHost::repoId)
        .findFirst()
        .orElse(null);
  }
}
