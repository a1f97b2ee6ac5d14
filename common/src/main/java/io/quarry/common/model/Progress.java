package io.quarry.common.model;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * The last persisted progress of a fix.
 *
 * @param hostId the last host that tried to run the fix
 * @param stage "X/Y", the last persisted stage
 * @param stageName what that stage does
 * @param percentComplete 0 to 100, or −1 when the stage cannot say
 * @param bytesDone bytes of the stage that are durable
 * @param bytesTotal bytes the stage has to move in all
 * @param lastError set only for failures other than I/O or a crash
 * @param updatedAt when this was persisted
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

  /** No percentage is known. */
  public static final int UNKNOWN_PERCENT = -1;

  public Progress {
    if (percentComplete < UNKNOWN_PERCENT || percentComplete > 100) {
      throw new IllegalArgumentException("percentComplete " + percentComplete);
    }
  }
}
