package io.quarry.agent.service;

import io.quarry.common.api.StorageApi;
import io.quarry.coordinator.cluster.HostRecord;

/** Reaches other agents. */
public interface PeerApi {
  /**
   * The API of another host's agent, to which this agent passes the current call on. No agent
   * passes a call on twice.
   */
  StorageApi at(HostRecord host);

  /** Whether an agent of that host answers at that address, healthy or not. */
  boolean answersAs(String hostId, String endpoint);
}
