package io.quarry.coordinator.plan;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * Keeps an image while a copy of it is made elsewhere. Committed in the source's log before the
 * target's log names the source.
 *
 * @param baseImageId kept as well, when only the difference to it is copied
 * @param targetKey the repository that copies
 * @param targetImageId the image that is being made there
 */
public record Pin(
    String id,
    String imageId,
    @Nullable String baseImageId,
    String targetKey,
    String targetImageId,
    Instant since) {}
