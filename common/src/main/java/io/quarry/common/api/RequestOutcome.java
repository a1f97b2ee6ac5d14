package io.quarry.common.api;

import org.jspecify.annotations.Nullable;

/**
 * What became of a request that was to be cancelled.
 *
 * @param committed whether it had been committed before; otherwise it never will be
 * @param operation what was committed; null when nothing was
 * @param id what that has created or changed; null when nothing was committed
 * @param commit of the request, or of its cancellation
 */
public record RequestOutcome(
    boolean committed, @Nullable String operation, @Nullable String id, long commit) {}
