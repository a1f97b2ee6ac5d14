package io.quarry.common.api;

import java.util.Map;

/**
 * Connects a repository on the agent that takes the call.
 *
 * @param repoId the caller's transient handle on that host; never persisted
 * @param repoFormat for example {@code localfs-1.0}
 * @param connectionParameters what the format needs; {@code path} for localfs
 * @param create whether an empty storage may be made into a repository
 */
public record ConnectRequest(
    String repoId, String repoFormat, Map<String, String> connectionParameters, boolean create) {
  public ConnectRequest {
    connectionParameters = Map.copyOf(connectionParameters);
  }
}
