package io.quarry.coordinator.plan;

import io.quarry.coordinator.plan.FixState.Worker;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * One run of a heavy fix. The worker that claimed the epoch has it for good.
 *
 * @param claimId of the one call that got the epoch: another call of the same worker may come from
 *     another thread
 * @param since when the worker claimed the epoch, by the worker's clock
 * @param checkpoint how far the worker says it is: text that the planner does not read; null before
 *     the first checkpoint
 */
public record Epoch(
    String fixId,
    long epoch,
    Worker worker,
    String claimId,
    Instant since,
    @Nullable String checkpoint) {
  /** The most bytes of a checkpoint, in UTF-8: each host has all checkpoints in memory. */
  public static final int CHECKPOINT_BYTES_MAX = 8 << 10;

  Epoch at(String newCheckpoint) {
    return new Epoch(fixId, epoch, worker, claimId, since, newCheckpoint);
  }

  boolean isOf(Worker other) {
    return worker.equals(other);
  }

  /** Whether both are of one call. */
  boolean isOf(Worker other, String otherClaimId) {
    return isOf(other) && claimId.equals(otherClaimId);
  }
}
