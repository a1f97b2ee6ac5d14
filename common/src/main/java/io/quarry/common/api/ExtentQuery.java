package io.quarry.common.api;

/**
 * @param offset from where on
 * @param limit at most so many extents
 * @param more whether other calls for this image's bytes will follow at once
 */
public record ExtentQuery(long offset, int limit, boolean more) {}
