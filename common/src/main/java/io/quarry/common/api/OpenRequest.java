package io.quarry.common.api;

import org.jspecify.annotations.Nullable;

/**
 * @param readOnly snapshots can only be opened read-only
 * @param owner the user, for people to read; a VM's name, say
 * @param hostId the host of the use: other agents refuse the call; null for the agent that takes
 *     the call
 */
public record OpenRequest(boolean readOnly, @Nullable String owner, @Nullable String hostId) {
  public OpenRequest(boolean readOnly, @Nullable String owner) {
    this(readOnly, owner, null);
  }
}
