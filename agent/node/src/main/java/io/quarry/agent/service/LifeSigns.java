package io.quarry.agent.service;

import io.quarry.agent.repository.ConnectedRepository;
import io.quarry.coordinator.cluster.Candidate;
import io.quarry.coordinator.cluster.ClusterUnavailableException;
import io.quarry.coordinator.cluster.HostRecord;
import io.quarry.coordinator.cluster.HostRegistry;
import java.util.List;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Evidence against a host's death. A host's record in the cluster is only one sign. The record may
 * be missing for a moment, or have been deleted by accident, while VMs run on the host.
 */
final class LifeSigns {
  private final String ownHostId;
  private final HostRegistry registry;
  private final Supplier<List<ConnectedRepository>> repositories;
  private final PeerApi peers;

  LifeSigns(
      String ownHostId,
      HostRegistry registry,
      Supplier<List<ConnectedRepository>> repositories,
      PeerApi peers) {
    this.ownHostId = ownHostId;
    this.registry = registry;
    this.repositories = repositories;
    this.peers = peers;
  }

  /** The sign of life that the host shows, or null. */
  @Nullable String of(String hostId) throws ClusterUnavailableException {
    if (hostId.equals(ownHostId)) {
      return "this agent runs on it";
    }
    if (registry.find(hostId).isPresent()) {
      return "it is registered in the cluster";
    }
    for (ConnectedRepository repository : repositories.get()) {
      for (Candidate candidate : repository.candidates()) {
        if (candidate.hostId().equals(hostId) && !registry.knownDead(candidate.incarnation())) {
          return "its agent stands in the election of " + repository.repoId();
        }
      }
    }
    return registry
        .lastSeen(hostId)
        .map(HostRecord::endpoint)
        .filter(endpoint -> peers.answersAs(hostId, endpoint))
        .map(endpoint -> "its agent answers at " + endpoint)
        .orElse(null);
  }
}
