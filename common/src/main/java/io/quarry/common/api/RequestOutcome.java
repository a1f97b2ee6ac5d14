package io.quarry.common.api;

import org.jspecify.annotations.Nullable;

/**
 * The outcome of a request that a caller wants to cancel.
 *
 * @param committed whether the request had been committed before; otherwise it never will be
 * @param operation of the committed request; null when nothing was committed
 * @param id the entity that the request created or changed; null when nothing was committed
 * @param commit of the request, or of its cancellation
 */
public record RequestOutcome(
    boolean committed, @Nullable String operation, @Nullable String id, long commit) {}
