package io.quarry.agent.fix;

import io.quarry.agent.data.os.FileFailure;
import io.quarry.agent.data.os.NativeFile;
import io.quarry.agent.storage.Checkpoint;
import io.quarry.common.model.VolumeFormat;
import io.quarry.coordinator.plan.Volume;
import java.io.IOException;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What an earlier epoch of a fix has left. Only one epoch writes to an inode. A worker continues in
 * an earlier epoch's file only when that epoch's worker has released the file or is proven dead.
 * Otherwise the worker begins a file of its own, and no reader opens the file that late writes
 * reach.
 *
 * @param checkpoint says how far that epoch's file is durable
 * @param over no process will write to that epoch's file any more
 */
record ResumePoint(Checkpoint checkpoint, boolean over) {
  /**
   * Null when no earlier epoch has left work to continue.
   *
   * @param source the file that is copied byte by byte; null when the source is the content of an
   *     image. During the copy a merge can give the source other files. Then the bytes of the old
   *     file are no beginning of the new one.
   */
  static @Nullable ResumePoint of(RunningFix run, Volume volume, @Nullable String source)
      throws IOException {
    Checkpoint newest = run.store().newestCheckpoint(run.fix().id());
    if (newest == null
        || newest.file() == null
        || !newest.file().startsWith(volume.id() + ".")
        || newest.offset() <= 0
        || !Objects.equals(source, newest.source())
        || !holds(run, volume, newest)) {
      return null;
    }
    return new ResumePoint(newest, PriorEpochs.of(run).allOver(newest));
  }

  /** A file that is shorter than its checkpoint says cannot be continued. */
  private static boolean holds(RunningFix run, Volume volume, Checkpoint newest)
      throws IOException {
    try (NativeFile file =
        run.repository().storage().volumes().openRead(String.valueOf(newest.file()))) {
      return volume.format() != VolumeFormat.RAW || file.size() >= newest.offset();
    } catch (FileFailure e) {
      if (e.isNoFile()) {
        return false;
      }
      throw e;
    }
  }

  String file() {
    return String.valueOf(checkpoint.file());
  }
}
