package io.quarry.coordinator.plan;

import io.quarry.coordinator.plan.FixState.Worker;
import io.quarry.coordinator.plan.Volume.Writer;
import java.nio.charset.StandardCharsets;
import java.util.Objects;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * A worker is about to write what lies above a weak image down into its volume. From here on the
 * folded images are internal: they lose the names that callers know, so that nothing can be built
 * on what they do not show any more.
 *
 * <p>One life of one host writes to the volume. Another one may as soon as that one has said that
 * it stopped, or is proven dead; until then a merge writes a new volume.
 *
 * @param over the writer before, if the worker has proof of its death
 */
public record BeginMergeInPlace(String fixId, String volumeId, Worker worker, @Nullable Worker over)
    implements Request {
  @Override
  public Reply plan(Draft draft) {
    Volume better = Replacement.begun(draft.state(), fixId, volumeId);
    InPlace place = InPlace.of(draft.state(), better, draft.now());
    if (place == null) {
      throw Refusal.stale(fixId, "nothing can be written down into now");
    }
    Writer before = place.base().writer();
    if (before != null && !before.worker().equals(worker) && !before.worker().equals(over)) {
      throw Refusal.stale(fixId, "host " + before.worker().hostId() + " may still be writing");
    }
    boolean renamed = before != null && before.fixId().equals(fixId);
    if (!renamed) {
      place.below().forEach(weak -> draft.rename(weak, internalId(weak, draft.commit())));
    }
    Volume base = Objects.requireNonNull(draft.state().volumes().get(place.base().id()));
    draft.add(new Change.PutVolume(base.writtenBy(new Writer(fixId, worker))));
    return draft.reply(this, base.id());
  }

  private static String internalId(Image weak, long commit) {
    String name = weak.id() + "/" + commit;
    return UUID.nameUUIDFromBytes(name.getBytes(StandardCharsets.UTF_8)).toString();
  }
}
