package io.quarry.coordinator.plan;

import io.quarry.coordinator.plan.Volume.Witness;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * An image changes over to a better volume, in one commit. The old volume is cleaned as soon as no
 * user has it open. An open for writing gives up the replacement, so no user has changed the
 * content.
 *
 * @param file the file that the worker wrote, flushed and closed
 * @param witnesses of the files that are frozen from this commit on, by volume; null in logs
 *     without {@link Feature#WITNESSES}
 */
public record FinishReplacement(
    String fixId,
    String volumeId,
    long epoch,
    String file,
    @Nullable Map<String, Witness> witnesses)
    implements Request {
  public FinishReplacement {
    Checked.internal("fixId", fixId);
    Checked.volume("volumeId", volumeId);
    Checked.notNegative("epoch", epoch);
    Checked.file("file", file);
    Checked.witnesses(witnesses);
  }

  public FinishReplacement(String fixId, String volumeId, long epoch, String file) {
    this(fixId, volumeId, epoch, file, null);
  }

  @Override
  public Reply plan(Transaction transaction) {
    RepositoryState state = transaction.state();
    Volume better = Replacement.begun(state, fixId, volumeId);
    if (!better.mayBePublished(file, epoch)) {
      throw PlanErrors.stale(fixId, "file " + file + " is not one of volume " + volumeId);
    }
    Image image = state.images().get(better.imageId());
    Volume old = state.volumes().get(Objects.requireNonNull(better.replaces()).volumeId());
    if (image == null || old == null || !image.volumeId().equals(old.id())) {
      throw new IllegalStateException(volumeId + " replaces nothing of " + better.imageId());
    }
    boolean wasLong = ChainLength.isTooLong(state, image);
    transaction.add(new Change.PutVolume(better.ready(file)));
    transaction.add(new Change.PutImage(image.on(volumeId)));
    transaction.witness(witnesses);
    transaction.add(new Change.DropFix(fixId));
    transaction.retire(old, image.autoFix());
    transaction.settle(image.id());
    transaction.settle(old.parentImageId());
    transaction.settle(better.parentImageId());
    if (wasLong) {
      // A chain of hundreds needs further copies.
      transaction.settleOverlays(image.id());
    }
    return transaction.reply(this, image.id());
  }
}
