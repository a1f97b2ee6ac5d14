package io.quarry.agent.fix;

import io.quarry.agent.data.os.FileFailure;
import io.quarry.agent.data.os.NativeFile;
import io.quarry.common.model.VolumeFormat;
import io.quarry.coordinator.plan.Volume;
import java.io.IOException;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What an earlier epoch of a fix has left. One inode has one writer epoch: its file is gone on with
 * only when its worker is proven dead or let go of it; otherwise a file of our own is begun, so
 * that late writes land where nobody looks.
 *
 * @param checkpoint says how far that epoch's file is durable
 * @param over nothing will write to its file any more
 */
record ResumePoint(Checkpoint checkpoint, boolean over) {
  /**
   * Null when there is nothing to go on with.
   *
   * @param source the file that is copied byte by byte; null when it is the content of an image.
   *     While the copy is made a merge can give the source other files, and then the bytes of one
   *     are no beginning of the other.
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

  /** A file that is shorter than its checkpoint says is of no use to anybody. */
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
