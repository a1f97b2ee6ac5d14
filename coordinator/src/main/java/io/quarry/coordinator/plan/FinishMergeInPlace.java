package io.quarry.coordinator.plan;

import io.quarry.coordinator.plan.Volume.Witness;
import io.quarry.coordinator.plan.Volume.Writer;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The base now holds the data of all layers above, durably, and the image takes over the base's
 * volume. The image's old volume is cleaned as soon as no user has it open.
 *
 * @param volumeId the volume that a merge would otherwise have made
 * @param writer the worker that has written to the base's volume, and has closed it
 * @param witnesses of the files that are frozen from this commit on, by volume; null in logs
 *     without {@link Feature#WITNESSES}
 */
public record FinishMergeInPlace(
    String volumeId, Writer writer, @Nullable Map<String, Witness> witnesses) implements Request {
  public FinishMergeInPlace {
    Checked.volume("volumeId", volumeId);
    Checked.writer(writer);
    Checked.witnesses(witnesses);
  }

  public FinishMergeInPlace(String volumeId, Writer writer) {
    this(volumeId, writer, null);
  }

  @Override
  public Reply plan(Transaction transaction) {
    String fixId = writer.fixId();
    Volume better = Replacement.begun(transaction.state(), fixId, volumeId);
    InPlace place = InPlace.of(transaction.state(), better, transaction.now());
    if (place == null || !writer.equals(place.base().writer())) {
      throw PlanErrors.stale(fixId, "another worker has taken over");
    }
    Image image = place.image();
    Volume old = transaction.state().volumeOf(image);
    Image lowest = place.below().getLast();
    transaction.moveOverlays(lowest.id(), image.id());
    transaction.add(new Change.DropImage(lowest.id()));
    Volume base = place.base().ownedBy(image.id()).sized(image.size()).writtenBy(null);
    transaction.add(new Change.PutVolume(base));
    transaction.add(new Change.PutImage(image.on(base.id())));
    transaction.witness(witnesses);
    transaction.tombstone(now(transaction, better), image.autoFix());
    transaction.retire(now(transaction, old), image.autoFix());
    place.below().reversed().forEach(hidden -> transaction.settle(hidden.id()));
    transaction.settle(image.id());
    transaction.settle(base.parentImageId());
    return transaction.reply(this, image.id());
  }

  @Override
  public boolean freesSpace() {
    return true;
  }

  /** The volume after its parent got another id. */
  private static Volume now(Transaction transaction, Volume volume) {
    return Objects.requireNonNull(transaction.state().volumes().get(volume.id()));
  }
}
