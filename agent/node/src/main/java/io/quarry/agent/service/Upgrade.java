package io.quarry.agent.service;

import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.StorageException;
import io.quarry.coordinator.cluster.HostRecord;
import io.quarry.coordinator.plan.Feature;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Collectors;

/** A repository gets new features only when all hosts that use it know them. */
final class Upgrade {
  private Upgrade() {}

  static void requireAllHosts(String repositoryKey, Collection<HostRecord> live) {
    List<String> wanted = Feature.names(Feature.KNOWN);
    List<HostRecord> tooOld =
        live.stream()
            .filter(host -> host.repositories().containsKey(repositoryKey))
            .filter(host -> !host.features().containsAll(wanted))
            .sorted(Comparator.comparing(HostRecord::hostId))
            .toList();
    if (!tooOld.isEmpty()) {
      throw new StorageException(
          ErrorCode.HOSTS_TOO_OLD,
          "hosts use the repository that do not know its new features: "
              + tooOld.stream()
                  .map(host -> host.hostId() + " (" + host.version() + ")")
                  .collect(Collectors.joining(", ")),
          tooOld.getFirst().hostId(),
          "upgrade the agents of these hosts first, or disconnect the repository there");
    }
  }
}
