package io.quarry.coordinator.plan;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * Somebody uses an image: fixes that would disturb them wait.
 *
 * @param hostId the host on which it is used
 * @param owner who uses it, for people to read
 */
public record Open(
    String id,
    String imageId,
    boolean readOnly,
    String hostId,
    @Nullable String owner,
    Instant since) {}
