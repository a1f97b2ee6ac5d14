package io.quarry.agent.storage;

import io.quarry.coordinator.plan.FixState.Worker;
import java.io.IOException;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Claims and checkpoints of fixes on the storage. Exactly one call of one worker gets an epoch of a
 * fix. That worker alone writes the checkpoints of the epoch.
 */
public interface WorkStore {
  /** The newest claim, or null when the fix was never claimed. */
  @Nullable Claim newestClaim(String fixId) throws IOException;

  /**
   * The claim of that epoch; null when the epoch was never claimed on the storage. A store may drop
   * claims of epochs below the newest checkpoint's.
   */
  @Nullable Claim claimOf(String fixId, long epoch) throws IOException;

  /**
   * Takes the epoch for this call of the worker, durably; empty when another call has the epoch,
   * also when that was a call of the same worker.
   */
  Optional<Claim> claim(String fixId, long epoch, Worker worker, Instant now) throws IOException;

  /** The progress of the newest epoch that has progress, or null. */
  @Nullable Checkpoint newestCheckpoint(String fixId) throws IOException;

  /** Persists the progress of an epoch, durably. The data of that progress must be durable. */
  void save(String fixId, Checkpoint checkpoint) throws IOException;

  /** Removes the claims and checkpoints of a fix that is done. */
  void forget(String fixId) throws IOException;

  /** The fixes that have claims or checkpoints. */
  List<String> fixes() throws IOException;
}
