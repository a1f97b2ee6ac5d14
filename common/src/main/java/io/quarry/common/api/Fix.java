package io.quarry.common.api;

import io.quarry.common.model.FixType;
import org.jspecify.annotations.Nullable;

/**
 * One piece of work that {@code check} found. Send it to {@code fixStorageRepository} as received.
 *
 * @param imageId the image it is about; null for orphaned files
 * @param reason why it is needed
 * @param bytesToMove estimated bytes of data that will be written, holes not counted; −1 when they
 *     cannot be told
 * @param bytesToGain estimated bytes that will be freed; −1 when they cannot be told
 * @param priority lower runs first
 * @param state {@code waiting} (nobody asked for it), {@code queued}, {@code running}, {@code
 *     retrying}, {@code parked} or {@code noSpace}
 * @param lastError why it was stopped or parked
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
