package io.quarry.common.api;

import io.quarry.common.model.FixType;
import io.quarry.common.model.Progress;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * A fix as it runs on a host right now.
 *
 * @param taskId {@code hostId:fixId:epoch}
 * @param repoId this agent's handle of the repository; null when it is not connected here
 * @param bytesPerSecond recent rate; −1 when unknown
 */
public record TaskInfo(
    String taskId,
    String hostId,
    @Nullable String repoId,
    String fixId,
    FixType type,
    @Nullable String imageId,
    long epoch,
    Instant startedAt,
    long bytesPerSecond,
    @Nullable Progress progress) {}
