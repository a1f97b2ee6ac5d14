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
  public Reply plan(Transaction draft) {
    String fixId = writer.fixId();
    Volume better = Replacement.begun(draft.state(), fixId, volumeId);
    InPlace place = InPlace.of(draft.state(), better, draft.now());
    if (place == null || !writer.equals(place.base().writer())) {
      throw PlanErrors.stale(fixId, "another worker has taken over");
    }
    Image image = place.image();
    Volume old = draft.state().volumeOf(image);
    Image lowest = place.below().getLast();
    draft.moveOverlays(lowest.id(), image.id());
    draft.add(new Change.DropImage(lowest.id()));
    Volume base = place.base().ownedBy(image.id()).sized(image.size()).writtenBy(null);
    draft.add(new Change.PutVolume(base));
    draft.add(new Change.PutImage(image.on(base.id())));
    draft.witness(witnesses);
    draft.tombstone(now(draft, better), image.autoFix());
    draft.retire(now(draft, old), image.autoFix());
    place.below().reversed().forEach(weak -> draft.settle(weak.id()));
    draft.settle(image.id());
    draft.settle(base.parentImageId());
    return draft.reply(this, image.id());
  }

  @Override
  public boolean freesSpace() {
    return true;
  }

  /** As it is after its parent went by another name. */
  private static Volume now(Transaction draft, Volume volume) {
    return Objects.requireNonNull(draft.state().volumes().get(volume.id()));
  }
}
