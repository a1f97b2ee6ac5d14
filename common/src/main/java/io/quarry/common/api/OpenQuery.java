package io.quarry.common.api;

import org.jspecify.annotations.Nullable;

/**
 * Pages the opens of a repository, in the order of their ids.
 *
 * @param hostId list only this host's opens; null for all
 * @param after {@code next} of the previous page
 * @param limit opens per page, 1 to {@link #LIMIT_MAX}
 * @param atLeast the answer must reflect this commit
 */
public record OpenQuery(@Nullable String hostId, @Nullable String after, int limit, long atLeast) {
  public static final int LIMIT_MAX = 1000;
}
