package io.quarry.common.api;

import io.quarry.common.model.FixType;
import io.quarry.common.model.Progress;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * An outstanding fix as the repository records it.
 *
 * @param state {@code waiting}, {@code queued}, {@code running}, {@code retrying}, {@code parked},
 *     {@code paused} or {@code noSpace}
 * @param failures how often the fix failed for a reason other than I/O or a crash
 * @param hostId the host that works on the fix now
 * @param waitsFor the space that the fix needs and the free space, when that is too little
 * @param nextRetryAt when a worker tries the fix again after a failure
 */
public record FixInfo(
    String fixId,
    FixType type,
    @Nullable String imageId,
    String state,
    int priority,
    int failures,
    @Nullable String hostId,
    @Nullable Instant nextRetryAt,
    @Nullable String lastError,
    @Nullable String waitsFor,
    @Nullable Progress progress) {}
