package io.quarry.common.api;

import org.jspecify.annotations.Nullable;

/**
 * @param deep also reads the data, for some seconds a call; {@link CheckReport.Reading#next} says
 *     where to go on
 * @param after what the deep check before gave as {@code next}; null to begin
 * @param atLeast the answer must reflect this commit
 */
public record CheckOptions(boolean deep, @Nullable String after, long atLeast) {
  public static final CheckOptions DEFAULT = new CheckOptions(false, null, 0);
}
