package io.quarry.common.api;

/**
 * @param offset of the first byte
 * @param limit of extents in the answer
 * @param more whether other calls for this image's bytes will follow at once
 */
public record ExtentQuery(long offset, int limit, boolean more) {}
