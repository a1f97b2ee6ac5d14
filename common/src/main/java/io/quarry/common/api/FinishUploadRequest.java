package io.quarry.common.api;

import org.jspecify.annotations.Nullable;

/**
 * @param sha256 of the image's whole content, in hexadecimal digits; null to trust the ranges
 */
public record FinishUploadRequest(@Nullable String sha256) {}
