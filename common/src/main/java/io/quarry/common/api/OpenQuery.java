package io.quarry.common.api;

import org.jspecify.annotations.Nullable;

/**
 * Pages the opens of a repository, in the order of their ids.
 *
 * @param hostId only this host's; null for all
 * @param after what the previous page gave as {@code next}
 * @param limit opens per page, 1 to {@link #LIMIT_MAX}
 * @param atLeast the answer must reflect this commit
 */
public record OpenQuery(@Nullable String hostId, @Nullable String after, int limit, long atLeast) {
  public static final int LIMIT_MAX = 1000;
}
