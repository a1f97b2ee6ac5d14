package io.quarry.agent.fix;

import io.quarry.agent.data.CopyFigures;
import io.quarry.agent.data.CopyPlan;
import io.quarry.agent.data.PrefixCopy;
import io.quarry.agent.data.RawTarget;
import io.quarry.agent.data.Source;
import io.quarry.agent.data.WindowCopier;
import io.quarry.agent.data.os.NativeFile;
import io.quarry.agent.repository.Repository;
import io.quarry.agent.storage.Checkpoint;
import io.quarry.agent.storage.Checkpoint.Amounts;
import io.quarry.agent.storage.Checkpoint.Output;
import io.quarry.agent.storage.VolumeStore;
import io.quarry.coordinator.fault.FaultPoints;
import io.quarry.coordinator.plan.Volume;
import java.io.IOException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Copies the whole content of an image into a raw volume, from the last checkpoint on. */
final class RawCopy {
  private static final Logger LOG = LoggerFactory.getLogger(RawCopy.class);
  private static final int STAGES = 2;

  private final RunningFix run;
  private final Repository repository;
  private final Volume volume;
  private final @Nullable String copyOf;

  RawCopy(RunningFix run, Volume volume) {
    this(run, volume, null);
  }

  /**
   * @param copyOf the name of the file that is copied byte by byte; null when the source is no
   *     single file
   */
  RawCopy(RunningFix run, Volume volume, @Nullable String copyOf) {
    this.copyOf = copyOf;
    this.run = run;
    this.repository = run.repository();
    this.volume = volume;
  }

  /** Returns the file that now holds the whole content, durably. */
  String copy(Source source) throws IOException, InterruptedException {
    Start start = start(source.size());
    try (RawTarget target = start.target()) {
      Checkpoint checkpoint =
          Checkpoint.copying(
              run.worker(),
              run.epoch(),
              STAGES,
              new Output(start.file(), copyOf),
              new Amounts(start.offset(), source.size(), start.movedBefore()),
              run.now());
      run.save(checkpoint);
      CopyFigures figures =
          WindowCopier.copy(
              source,
              target,
              new CopyPlan(start.offset(), run.context().pace()),
              run.context().throttle(),
              run.control(),
              (end, moved) -> run.save(checkpoint.at(end, start.movedBefore() + moved, run.now())));
      target.flush();
      LOG.info("Copied into {}: {}", start.file(), figures);
      FaultPoints.reach("copy.done");
      run.save(run.checkpoint().stage(STAGES, "publish", run.now()));
    } catch (IOException e) {
      giveBack(start);
      throw e;
    }
    return start.file();
  }

  /**
   * The copy writes the bytes behind the checkpoint again, so their space is free for other fixes
   * until then.
   */
  private void giveBack(Start start) {
    Checkpoint newest = run.maybeSaved();
    boolean begun = start.file().equals(newest.file());
    long counted = Math.max(start.offset(), begun ? newest.offset() : 0);
    try (NativeFile file = volumes().openWrite(start.file())) {
      if (file.size() > counted) {
        file.truncate(counted);
      }
    } catch (IOException e) {
      LOG.debug("{} stays as long as it is", start.file(), e);
    }
  }

  private VolumeStore volumes() {
    return repository.storage().volumes();
  }

  /**
   * @param offset up to which the file holds the content already
   * @param movedBefore bytes that earlier epochs moved, as far as checkpoints know
   */
  private record Start(String file, RawTarget target, long offset, long movedBefore) {}

  private Start start(long size) throws IOException, InterruptedException {
    ResumePoint earlier = ResumePoint.of(run, volume, copyOf);
    if (earlier == null) {
      return fresh(size, 0);
    }
    if (!earlier.over()) {
      return startAnew(size, earlier.checkpoint());
    }
    long offset = earlier.checkpoint().offset();
    RawTarget target = RawTarget.reopen(volumes().openWrite(earlier.file()), offset, size);
    LOG.info("Going on with {} from byte {}", earlier.file(), offset);
    return new Start(earlier.file(), target, offset, earlier.checkpoint().bytesMoved());
  }

  private Start fresh(long size, long movedBefore) throws IOException {
    String file = volume.fileOfEpoch(run.epoch());
    RawTarget target = RawTarget.create(volumes().create(file, size), size);
    repository.storage().volumes().force();
    return new Start(file, target, 0, movedBefore);
  }

  private Start startAnew(long size, Checkpoint earlier) throws IOException, InterruptedException {
    Start start = fresh(size, earlier.bytesMoved());
    try {
      PrefixCopy.Way way =
          PrefixCopy.copy(
              volumes().openRead(String.valueOf(earlier.file())),
              start.target(),
              earlier.offset(),
              run.context().pace(),
              run.context().throttle(),
              run.control());
      LOG.info(
          "No proof that {}@{} is dead: {} up to byte {} into {}, {}",
          earlier.worker().hostId(),
          earlier.worker().incarnation(),
          earlier.file(),
          earlier.offset(),
          start.file(),
          way);
      return new Start(
          start.file(),
          start.target(),
          earlier.offset(),
          earlier.bytesMoved() + (way == PrefixCopy.Way.COPIED ? earlier.offset() : 0));
    } catch (IOException | InterruptedException | RuntimeException e) {
      start.target().close();
      throw e;
    }
  }
}
