package io.quarry.agent.service;

import com.fasterxml.jackson.core.type.TypeReference;
import io.quarry.agent.data.Throttle;
import io.quarry.agent.repository.StateFile;
import io.quarry.common.api.StorageException;
import java.io.IOException;
import java.nio.file.Path;

/**
 * The limit of this host's copies, which outlives the agent: a restarted agent must not copy at
 * full speed. The latest change counts, by a call or in the configuration.
 */
public final class KeptThrottle {
  private static final String REMEDY =
      "delete the file, start the agent, and run `quarry throttle` again";

  private final StateFile file;
  private final long configured;
  private final Throttle throttle;

  /**
   * @param bytesPerSecond as a call has set it
   * @param configured the configuration's limit at that time
   */
  private record Kept(long bytesPerSecond, long configured) {
    private Kept {
      if (bytesPerSecond < 0) {
        throw new IllegalArgumentException("negative limit");
      }
    }
  }

  /**
   * @param configured the configuration's limit, in bytes per second
   */
  public KeptThrottle(Path file, long configured) throws IOException {
    this.file = new StateFile(file);
    this.configured = configured;
    this.throttle = new Throttle(read());
  }

  private long read() throws IOException {
    Kept kept = file.read(new TypeReference<>() {}, REMEDY);
    return kept == null || kept.configured() != configured ? configured : kept.bytesPerSecond();
  }

  /** The throttle that all copies of the host use. */
  public Throttle throttle() {
    return throttle;
  }

  /** Returns when the limit is in force and durable. */
  synchronized void set(long bytesPerSecond) {
    if (bytesPerSecond < 0) {
      throw StorageException.invalid(
          "bytesPerSecond", "a throttle cannot be negative", "give bytes per second, 0 for none");
    }
    file.write(new Kept(bytesPerSecond, configured));
    throttle.setBytesPerSecond(bytesPerSecond);
  }
}
