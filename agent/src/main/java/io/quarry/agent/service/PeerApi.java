package io.quarry.agent.service;

import io.quarry.common.api.StorageApi;

/** Reaches other agents. */
public interface PeerApi {
  /**
   * @param endpoint the other agent's base URL
   */
  StorageApi at(String endpoint);

  /** Whether an agent of that host answers there, however well it is. */
  boolean answersAs(String hostId, String endpoint);
}
