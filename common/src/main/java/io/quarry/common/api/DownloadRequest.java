package io.quarry.common.api;

import org.jspecify.annotations.Nullable;

/**
 * @param range null for the whole image
 * @param ifMatch the entity tag that the content must still have
 * @param ifRange the entity tag for which the range counts; at another tag the agent sends the
 *     whole image
 * @param more whether the caller will ask for another range at once: the agent keeps the image open
 *     for a moment
 */
public record DownloadRequest(
    @Nullable ByteRange range, @Nullable String ifMatch, @Nullable String ifRange, boolean more) {
  public static final DownloadRequest WHOLE = new DownloadRequest(null, null, null, false);
}
