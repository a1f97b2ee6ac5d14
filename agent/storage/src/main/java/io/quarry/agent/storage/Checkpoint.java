package io.quarry.agent.storage;

import io.quarry.common.model.Progress;
import io.quarry.coordinator.plan.FixState.Worker;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * How far an epoch is, as persisted on the storage.
 *
 * @param incarnation the worker's life
 * @param stage from 1 to {@code stages}
 * @param file the volume file that the epoch writes
 * @param source the one file that the epoch copies or converts into the volume file; null when the
 *     source is an image's content
 * @param offset all bytes of the volume file before this offset are durable and right
 * @param bytesTotal of the stage
 * @param bytesMoved by all epochs together, as far as checkpoints know
 * @param released the worker has stopped, with its children; no process of that epoch will write
 *     any more
 * @param lastError only for failures other than I/O or a crash
 */
public record Checkpoint(
    String hostId,
    String incarnation,
    long epoch,
    int stage,
    int stages,
    String stageName,
    @Nullable String file,
    @Nullable String source,
    long offset,
    long bytesTotal,
    long bytesMoved,
    boolean released,
    @Nullable String lastError,
    Instant updatedAt) {

  /** The progress as callers see it. */
  public Progress progress() {
    int percent =
        bytesTotal > 0 ? (int) Math.min(100, 100 * offset / bytesTotal) : Progress.UNKNOWN_PERCENT;
    return new Progress(
        hostId, stage + "/" + stages, stageName, percent, offset, bytesTotal, lastError, updatedAt);
  }

  /**
   * This epoch has done nothing yet; until then the checkpoint shows what earlier epochs have
   * reached.
   */
  public static Checkpoint starting(
      Worker worker, long epoch, @Nullable Checkpoint earlier, Instant now) {
    return new Checkpoint(
        worker.hostId(),
        worker.incarnation(),
        epoch,
        1,
        earlier == null ? 1 : earlier.stages(),
        "starting",
        null,
        null,
        earlier == null ? 0 : earlier.offset(),
        earlier == null ? 0 : earlier.bytesTotal(),
        earlier == null ? 0 : earlier.bytesMoved(),
        false,
        null,
        now);
  }

  /** The first stage of making a volume's content. */
  public static Checkpoint copying(
      Worker worker,
      long epoch,
      int stages,
      String file,
      @Nullable String source,
      long offset,
      long bytesTotal,
      long bytesMoved,
      Instant now) {
    return new Checkpoint(
        worker.hostId(),
        worker.incarnation(),
        epoch,
        1,
        stages,
        "copy",
        file,
        source,
        offset,
        bytesTotal,
        bytesMoved,
        false,
        null,
        now);
  }

  /** The first stage of a file that is filled from its beginning. */
  public static Checkpoint filling(
      Worker worker, long epoch, int stages, String file, long bytesTotal, Instant now) {
    return new Checkpoint(
        worker.hostId(),
        worker.incarnation(),
        epoch,
        1,
        stages,
        "upload",
        file,
        null,
        0,
        bytesTotal,
        0,
        false,
        null,
        now);
  }

  /** A new epoch begins with the same content, in a file of its own. */
  public Checkpoint takenOver(Worker worker, long newEpoch, String newFile, Instant now) {
    return new Checkpoint(
        worker.hostId(),
        worker.incarnation(),
        newEpoch,
        stage,
        stages,
        stageName,
        newFile,
        source,
        offset,
        bytesTotal,
        bytesMoved,
        false,
        null,
        now);
  }

  /** The filled file is whole; the next stage makes another file from the filled one. */
  public Checkpoint converting(String newFile, long newTotal, Instant now) {
    return new Checkpoint(
        hostId,
        incarnation,
        epoch,
        stage + 1,
        stages,
        "convert",
        newFile,
        file,
        0,
        newTotal,
        0,
        false,
        null,
        now);
  }

  public Checkpoint at(long newOffset, long moved, Instant now) {
    return new Checkpoint(
        hostId,
        incarnation,
        epoch,
        stage,
        stages,
        stageName,
        file,
        source,
        newOffset,
        bytesTotal,
        moved,
        false,
        null,
        now);
  }

  public Checkpoint stage(int newStage, String name, Instant now) {
    return new Checkpoint(
        hostId,
        incarnation,
        epoch,
        newStage,
        stages,
        name,
        file,
        source,
        offset,
        bytesTotal,
        bytesMoved,
        false,
        null,
        now);
  }

  public Checkpoint letGo(@Nullable String error, Instant now) {
    return new Checkpoint(
        hostId,
        incarnation,
        epoch,
        stage,
        stages,
        stageName,
        file,
        source,
        offset,
        bytesTotal,
        bytesMoved,
        true,
        error,
        now);
  }
}
