package io.quarry.coordinator.plan;

import io.quarry.common.model.FixType;

/**
 * An image changes over to a better volume, in one commit; the old one is cleaned. Opening an image
 * gives up its replacement, so nobody uses the old one.
 *
 * @param file the file the worker wrote, flushed and let go of
 */
public record FinishOptimize(String fixId, String volumeId, long epoch, String file)
    implements Request {
  @Override
  public Reply plan(Draft draft) {
    RepositoryState state = draft.state();
    FixState fix = state.fixes().get(fixId);
    Volume better = state.volumes().get(volumeId);
    if (fix == null
        || fix.type() != FixType.OPTIMIZE
        || better == null
        || better.stage() != Volume.Stage.INTENDED
        || !FixState.optimizeId(volumeId).equals(fixId)) {
      throw Refusal.stale(fixId, "it is done, or its image was changed, opened or removed");
    }
    if (!better.mayBePublished(file, epoch)) {
      throw Refusal.stale(fixId, "file " + file + " is not one of volume " + volumeId);
    }
    Image image = state.images().get(better.imageId());
    Volume old = state.volumes().get(String.valueOf(better.replaces()));
    if (image == null || old == null || !image.volumeId().equals(old.id())) {
      throw new IllegalStateException(volumeId + " replaces nothing of " + better.imageId());
    }
    draft.add(new Change.PutVolume(better.ready(file)));
    draft.add(new Change.PutImage(image.on(volumeId)));
    draft.add(new Change.DropFix(fixId));
    draft.tombstone(old, image.autoFix());
    draft.settle(image.id());
    return draft.reply(this, image.id());
  }
}
