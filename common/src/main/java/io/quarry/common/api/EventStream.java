package io.quarry.common.api;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** Events, one after the other. For one thread at a time. */
public interface EventStream extends AutoCloseable {
  /**
   * The next event; null when none came in that time.
   *
   * @throws StorageException when the stream has ended
   */
  @Nullable Event next(Duration timeout);

  @Override
  void close();
}
