package io.quarry.common.model;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * The last persisted progress of a fix.
 *
 * @param hostId the last host that tried to run the fix
 * @param stage "X/Y", the last persisted stage
 * @param stageName the work of that stage
 * @param percentComplete 0 to 100, or −1 when unknown
 * @param bytesDone bytes of the stage that are durable
 * @param bytesTotal bytes the stage has to move in all
 * @param lastError set only for failures other than I/O or a crash
 * @param updatedAt when the progress was persisted
 */
public record Progress(
    String hostId,
    String stage,
    String stageName,
    int percentComplete,
    long bytesDone,
    long bytesTotal,
    @Nullable String lastError,
    Instant updatedAt) {

  /** The percentage of a stage that cannot tell one. */
  public static final int UNKNOWN_PERCENT = -1;

  public Progress {
    if (percentComplete < UNKNOWN_PERCENT || percentComplete > 100) {
      throw new IllegalArgumentException("percentComplete " + percentComplete);
    }
  }
}
