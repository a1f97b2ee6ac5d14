package io.quarry.common.api;

import io.quarry.common.model.ImageState;
import io.quarry.common.model.Progress;
import org.jspecify.annotations.Nullable;

/**
 * @param reason why the image is not optimized
 * @param commit the sequence number of the state that the answer is from
 * @param progress the last persisted progress of the image's fix; null when no fix was ever started
 */
public record ImageStatus(
    ImageState state, @Nullable String reason, long commit, @Nullable Progress progress) {}
