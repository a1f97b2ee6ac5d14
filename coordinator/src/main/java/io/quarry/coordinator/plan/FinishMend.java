package io.quarry.coordinator.plan;

import io.quarry.coordinator.plan.Volume.Witness;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Publishes a volume: from this commit on, that one file is its content. The first epoch to publish
 * wins; later epochs learn that their work is no longer needed.
 *
 * @param file the file that the worker wrote, flushed and closed
 * @param witnesses of the files that are frozen from this commit on, by volume; null in logs
 *     without {@link Feature#WITNESSES}
 */
public record FinishMend(
    String fixId,
    String volumeId,
    long epoch,
    String file,
    @Nullable Map<String, Witness> witnesses)
    implements Request {
  public FinishMend {
    Checked.internal("fixId", fixId);
    Checked.volume("volumeId", volumeId);
    Checked.notNegative("epoch", epoch);
    Checked.file("file", file);
    Checked.witnesses(witnesses);
  }

  public FinishMend(String fixId, String volumeId, long epoch, String file) {
    this(fixId, volumeId, epoch, file, null);
  }

  @Override
  public Reply plan(Transaction transaction) {
    RepositoryState state = transaction.state();
    FixState fix = state.fixes().get(fixId);
    Volume volume = state.volumes().get(volumeId);
    if (fix == null || volume == null || volume.stage() != Volume.Stage.INTENDED) {
      throw PlanErrors.stale(fixId, "another worker finished it, or its image was removed");
    }
    if (volume.replaces() != null
        || !FixState.makerId(volume).equals(fixId)
        || !volume.mayBePublished(file, epoch)) {
      throw PlanErrors.stale(fixId, "file " + file + " is not one of volume " + volumeId);
    }
    transaction.add(new Change.PutVolume(volume.ready(file)));
    transaction.witness(witnesses);
    transaction.add(new Change.DropFix(fixId));
    transaction.settle(volume.imageId());
    transaction.settle(volume.parentImageId());
    transaction.settleOverlays(volume.imageId());
    return transaction.reply(this, volumeId);
  }
}
