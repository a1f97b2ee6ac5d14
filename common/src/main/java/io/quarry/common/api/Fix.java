package io.quarry.common.api;

import io.quarry.common.model.FixType;
import org.jspecify.annotations.Nullable;

/**
 * One piece of work that {@code check} found. Send it to {@code fixStorageRepository} as received.
 *
 * @param imageId the image to fix; null for orphaned files
 * @param reason why the repository needs the fix
 * @param bytesToMove estimated bytes of data that will be written, holes not counted; −1 when
 *     unknown
 * @param bytesToGain estimated bytes that will be freed; −1 when unknown
 * @param priority lower runs first
 * @param state {@code waiting} (not requested), {@code queued}, {@code running}, {@code retrying},
 *     {@code parked} or {@code noSpace}
 * @param lastError why the fix was stopped or parked
 * @param data opaque
 */
public record Fix(
    FixType type,
    @Nullable String imageId,
    String reason,
    long bytesToMove,
    long bytesToGain,
    int priority,
    String state,
    @Nullable String lastError,
    String data) {}
