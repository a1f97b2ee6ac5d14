package io.quarry.coordinator.plan;

import java.time.Instant;

/**
 * Keeps an image while a copy of it is made elsewhere. Committed in the source's log before the
 * target's log names the source.
 *
 * @param targetKey the repository that copies
 * @param targetImageId the image that is being made there
 */
public record Pin(
    String id, String imageId, String targetKey, String targetImageId, Instant since) {}
