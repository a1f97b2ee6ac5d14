package io.quarry.agent.service;

import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.StorageException;
import io.quarry.coordinator.cluster.HostRecord;
import io.quarry.coordinator.plan.Feature;
import java.util.Collection;
import java.util.List;

/** A repository gets new features only when all hosts that use it know them. */
final class Upgrade {
  private Upgrade() {}

  static void requireAllHosts(String repositoryKey, Collection<HostRecord> live) {
    List<String> wanted = Feature.names(Feature.KNOWN);
    List<String> tooOld =
        live.stream()
            .filter(host -> host.repositories().containsKey(repositoryKey))
            .filter(host -> !host.features().containsAll(wanted))
            .map(host -> host.hostId() + " (" + host.version() + ")")
            .sorted()
            .toList();
    if (!tooOld.isEmpty()) {
      throw new StorageException(
          ErrorCode.HOSTS_TOO_OLD,
          "hosts use the repository that do not know its new features: "
              + String.join(", ", tooOld),
          tooOld.getFirst(),
          "upgrade the agents of these hosts first, or disconnect the repository there");
    }
  }
}
