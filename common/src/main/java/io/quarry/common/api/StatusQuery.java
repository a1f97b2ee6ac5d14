package io.quarry.common.api;

import io.quarry.common.model.ImageState;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * @param timeout how long to wait for {@code until}; zero answers at once
 * @param until the state to wait for; DEGRADED also accepts OPTIMIZED
 * @param atLeast the answer must reflect this commit
 */
public record StatusQuery(Duration timeout, @Nullable ImageState until, long atLeast) {
  public static final StatusQuery NOW = new StatusQuery(Duration.ZERO, null, 0);
}
