package io.quarry.agent.service;

import io.quarry.common.api.StorageApi;

/** Reaches the API of another agent. */
@FunctionalInterface
public interface PeerApi {
  /**
   * @param endpoint the other agent's base URL
   */
  StorageApi at(String endpoint);
}
