package io.quarry.common.api;

import java.time.Duration;

/**
 * @param autoFix whether cleaning is queued as soon as nothing depends on the image
 * @param retain how long cleaning waits, so that the removal can be undone
 */
public record RemoveImageOptions(boolean autoFix, Duration retain) {
  public static final RemoveImageOptions DEFAULT = new RemoveImageOptions(true, Duration.ZERO);
}
