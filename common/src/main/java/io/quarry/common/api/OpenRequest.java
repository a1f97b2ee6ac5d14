package io.quarry.common.api;

import org.jspecify.annotations.Nullable;

/**
 * @param readOnly snapshots can only be opened read-only
 * @param owner who uses it, for people to read; a VM's name, say
 * @param hostId the host on which it is to be used, so that no other agent takes the call; null for
 *     the one that takes it
 */
public record OpenRequest(boolean readOnly, @Nullable String owner, @Nullable String hostId) {
  public OpenRequest(boolean readOnly, @Nullable String owner) {
    this(readOnly, owner, null);
  }
}
