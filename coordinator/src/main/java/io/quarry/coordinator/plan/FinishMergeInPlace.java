package io.quarry.coordinator.plan;

import io.quarry.coordinator.plan.Volume.Witness;
import io.quarry.coordinator.plan.Volume.Writer;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * All that lies above is in the base now, durably: the image takes over its volume. What it had
 * before is cleaned as soon as nobody has it open.
 *
 * @param volumeId what would have been made otherwise
 * @param writer who has written it, and has let go of it
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

  /** As it is after its parent went by another name. */
  private static Volume now(Transaction transaction, Volume volume) {
    return Objects.requireNonNull(transaction.state().volumes().get(volume.id()));
  }
}
