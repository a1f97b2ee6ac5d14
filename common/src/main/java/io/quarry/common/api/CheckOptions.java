package io.quarry.common.api;

/**
 * @param deep also reads the data
 * @param atLeast the answer must reflect this commit
 */
public record CheckOptions(boolean deep, long atLeast) {
  public static final CheckOptions DEFAULT = new CheckOptions(false, 0);
}
