package io.quarry.agent.service;

import io.quarry.common.api.StorageApi;
import io.quarry.coordinator.cluster.HostRecord;

/** Reaches other agents. */
public interface PeerApi {
  /**
   * The agent of another host, to pass the call on that is served here. A call is passed on once.
   */
  StorageApi at(HostRecord host);

  /** Whether an agent of that host answers there, however well it is. */
  boolean answersAs(String hostId, String endpoint);
}
