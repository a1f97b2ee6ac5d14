package io.quarry.common.api;

import com.fasterxml.jackson.databind.node.ObjectNode;
import org.jspecify.annotations.Nullable;

/**
 * @param imageId the image to copy, looked up in all connected repositories
 * @param baseImageId when given, only the difference to that image is stored
 * @param userData any JSON object, stored unchanged
 */
public record CopyImageRequest(
    String imageId, @Nullable String baseImageId, ObjectNode userData, ImageOptions options) {}
