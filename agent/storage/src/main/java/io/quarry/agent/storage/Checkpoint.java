package io.quarry.agent.storage;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import io.quarry.common.model.Progress;
import io.quarry.coordinator.plan.FixState.Worker;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * How far an epoch is, as persisted on the storage.
 *
 * @param worker the one that got the epoch
 * @param released the worker has stopped, with its children; no process of that epoch will write
 *     any more
 * @param lastError only for failures other than I/O or a crash
 */
public record Checkpoint(
    Worker worker,
    long epoch,
    Stage stage,
    Output output,
    Amounts amounts,
    boolean released,
    @Nullable String lastError,
    Instant updatedAt) {

  /**
   * @param number from 1 to {@code count}
   */
  public record Stage(int number, int count, String name) {}

  /**
   * @param file the volume file that the epoch writes
   * @param source the one file that the epoch copies or converts into the volume file; null when
   *     the source is an image's content
   */
  public record Output(@Nullable String file, @Nullable String source) {
    static final Output NONE = new Output(null, null);
  }

  /**
   * @param offset all bytes of the volume file before this offset are durable and right
   * @param total of the stage
   * @param moved by all epochs together, as far as checkpoints know
   */
  public record Amounts(long offset, long total, long moved) {
    static final Amounts NONE = new Amounts(0, 0, 0);

    int percent() {
      return total > 0 ? (int) Math.min(100, 100 * offset / total) : Progress.UNKNOWN_PERCENT;
    }
  }

  /** A worker is at work. */
  private Checkpoint(
      Worker worker, long epoch, Stage stage, Output output, Amounts amounts, Instant now) {
    this(worker, epoch, stage, output, amounts, false, null, now);
  }

  public @Nullable String file() {
    return output.file();
  }

  public @Nullable String source() {
    return output.source();
  }

  public long offset() {
    return amounts.offset();
  }

  public long bytesTotal() {
    return amounts.total();
  }

  public long bytesMoved() {
    return amounts.moved();
  }

  /** The progress as callers see it. */
  public Progress progress() {
    return new Progress(
        worker.hostId(),
        stage.number() + "/" + stage.count(),
        stage.name(),
        amounts.percent(),
        amounts.offset(),
        amounts.total(),
        lastError,
        updatedAt);
  }

  /**
   * This epoch has done nothing yet; until then the checkpoint shows what earlier epochs have
   * reached.
   */
  public static Checkpoint starting(
      Worker worker, long epoch, @Nullable Checkpoint earlier, Instant now) {
    Stage stage = new Stage(1, earlier == null ? 1 : earlier.stage().count(), "starting");
    Amounts amounts = earlier == null ? Amounts.NONE : earlier.amounts();
    return new Checkpoint(worker, epoch, stage, Output.NONE, amounts, now);
  }

  /** The first stage of making a volume's content. */
  public static Checkpoint copying(
      Worker worker, long epoch, int stages, Output output, Amounts amounts, Instant now) {
    return new Checkpoint(worker, epoch, new Stage(1, stages, "copy"), output, amounts, now);
  }

  /** The first stage of a file that is filled from its beginning. */
  public static Checkpoint filling(
      Worker worker, long epoch, int stages, String file, long bytesTotal, Instant now) {
    Stage stage = new Stage(1, stages, "upload");
    Output output = new Output(file, null);
    return new Checkpoint(worker, epoch, stage, output, new Amounts(0, bytesTotal, 0), now);
  }

  /** A new epoch begins with the same content, in a file of its own. */
  public Checkpoint takenOver(Worker newWorker, long newEpoch, String newFile, Instant now) {
    Output newOutput = new Output(newFile, source());
    return new Checkpoint(newWorker, newEpoch, stage, newOutput, amounts, now);
  }

  /** The filled file is whole; the next stage makes another file from the filled one. */
  public Checkpoint converting(String newFile, long newTotal, Instant now) {
    Stage next = new Stage(stage.number() + 1, stage.count(), "convert");
    Output newOutput = new Output(newFile, file());
    return new Checkpoint(worker, epoch, next, newOutput, new Amounts(0, newTotal, 0), now);
  }

  public Checkpoint at(long offset, long moved, Instant now) {
    Amounts newAmounts = new Amounts(offset, bytesTotal(), moved);
    return new Checkpoint(worker, epoch, stage, output, newAmounts, now);
  }

  public Checkpoint stage(int number, String name, Instant now) {
    Stage newStage = new Stage(number, stage.count(), name);
    return new Checkpoint(worker, epoch, newStage, output, amounts, now);
  }

  public Checkpoint letGo(@Nullable String error, Instant now) {
    return new Checkpoint(worker, epoch, stage, output, amounts, true, error, now);
  }

  /** The fields of the file. */
  private record Fields(
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
      Instant updatedAt) {}

  @JsonCreator(mode = JsonCreator.Mode.DELEGATING)
  private static Checkpoint of(Fields fields) {
    return new Checkpoint(
        new Worker(fields.hostId, fields.incarnation),
        fields.epoch,
        new Stage(fields.stage, fields.stages, fields.stageName),
        new Output(fields.file, fields.source),
        new Amounts(fields.offset, fields.bytesTotal, fields.bytesMoved),
        fields.released,
        fields.lastError,
        fields.updatedAt);
  }

  @JsonValue
  private Fields fields() {
    return new Fields(
        worker.hostId(),
        worker.incarnation(),
        epoch,
        stage.number(),
        stage.count(),
        stage.name(),
        output.file(),
        output.source(),
        amounts.offset(),
        amounts.total(),
        amounts.moved(),
        released,
        lastError,
        updatedAt);
  }
}
