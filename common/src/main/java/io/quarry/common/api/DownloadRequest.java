package io.quarry.common.api;

import org.jspecify.annotations.Nullable;

/**
 * @param range null for the whole image
 * @param ifMatch the entity tag that the content must still have
 * @param ifRange the entity tag for which the range counts; with another one the whole image is
 *     given
 * @param more whether another range will be asked for at once: the image stays open for a moment
 */
public record DownloadRequest(
    @Nullable ByteRange range, @Nullable String ifMatch, @Nullable String ifRange, boolean more) {
  public static final DownloadRequest WHOLE = new DownloadRequest(null, null, null, false);
}
