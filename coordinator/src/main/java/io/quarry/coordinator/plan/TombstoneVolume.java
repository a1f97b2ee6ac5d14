package io.quarry.coordinator.plan;

/**
 * The point of no return of cleaning: after it no request can bring the image back, so its files
 * may be unlinked. Refused when something needs the image again.
 */
public record TombstoneVolume(String fixId, String volumeId) implements Request {
  public TombstoneVolume {
    Checked.internal("fixId", fixId);
    Checked.volume("volumeId", volumeId);
  }

  @Override
  public Reply plan(Transaction draft) {
    RepositoryState state = draft.state();
    FixState fix = state.fixes().get(fixId);
    Volume volume = state.volumes().get(volumeId);
    if (fix == null || volume == null || !FixState.cleanId(volumeId).equals(fixId)) {
      throw PlanErrors.stale(fixId, "its image is needed again, or it is done");
    }
    if (volume.stage() == Volume.Stage.TOMBSTONED) {
      return draft.reply(this, volumeId);
    }
    Image image = state.images().get(volume.imageId());
    if (image == null
        || image.strong()
        || !image.volumeId().equals(volumeId)
        || draft.needed(image)) {
      throw PlanErrors.stale(fixId, "something depends on its image again");
    }
    if (draft.retainedUntil(image) != null) {
      throw PlanErrors.stale(fixId, "its image is retained until " + image.retainedUntil());
    }
    draft.add(new Change.DropImage(image.id()));
    draft.tombstone(volume, fix.wanted());
    draft.settle(volume.parentImageId());
    return draft.reply(this, volumeId);
  }

  @Override
  public boolean freesSpace() {
    return true;
  }
}
