package io.quarry.common.api;

import org.jspecify.annotations.Nullable;

/**
 * @param readOnly snapshots can only be opened read-only
 * @param owner who uses it, for people to read; a VM's name, say
 */
public record OpenRequest(boolean readOnly, @Nullable String owner) {}
