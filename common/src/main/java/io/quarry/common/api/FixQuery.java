package io.quarry.common.api;

import org.jspecify.annotations.Nullable;

/**
 * Pages the outstanding fixes, the most urgent first.
 *
 * @param after {@code next} of the previous page
 * @param limit fixes per page, 1 to {@link #LIMIT_MAX}
 * @param atLeast the answer must reflect this commit
 */
public record FixQuery(@Nullable String after, int limit, long atLeast) {
  public static final int LIMIT_MAX = 1000;
}
