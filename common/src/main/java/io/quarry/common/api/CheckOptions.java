package io.quarry.common.api;

import org.jspecify.annotations.Nullable;

/**
 * @param deep also reads data, for some seconds a call; {@link CheckReport.Reading#next} is where
 *     the next call goes on
 * @param after {@code next} of the call before; null to begin
 * @param atLeast the answer must reflect this commit
 */
public record CheckOptions(boolean deep, @Nullable String after, long atLeast) {
  public static final CheckOptions DEFAULT = new CheckOptions(false, null, 0);
}
