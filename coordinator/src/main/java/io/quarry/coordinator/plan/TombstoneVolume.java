package io.quarry.coordinator.plan;

/**
 * The point of no return of cleaning. After this commit no request can bring the image back, so a
 * worker may unlink its files. Refused when an overlay, pin or open needs the image again.
 */
public record TombstoneVolume(String fixId, String volumeId) implements Request {
  public TombstoneVolume {
    Checked.internal("fixId", fixId);
    Checked.volume("volumeId", volumeId);
  }

  @Override
  public Reply plan(Transaction transaction) {
    RepositoryState state = transaction.state();
    FixState fix = state.fixes().get(fixId);
    Volume volume = state.volumes().get(volumeId);
    if (fix == null || volume == null || !FixState.cleanId(volumeId).equals(fixId)) {
      throw PlanErrors.stale(fixId, "its image is needed again, or it is done");
    }
    if (volume.stage() == Volume.Stage.TOMBSTONED) {
      return transaction.reply(this, volumeId);
    }
    Image image = state.images().get(volume.imageId());
    if (image == null
        || image.visible()
        || !image.volumeId().equals(volumeId)
        || transaction.needed(image)) {
      throw PlanErrors.stale(fixId, "something depends on its image again");
    }
    if (transaction.retainedUntil(image) != null) {
      throw PlanErrors.stale(fixId, "its image is retained until " + image.retainedUntil());
    }
    transaction.add(new Change.DropImage(image.id()));
    transaction.tombstone(volume, fix.wanted());
    transaction.settle(volume.parentImageId());
    return transaction.reply(this, volumeId);
  }

  @Override
  public boolean freesSpace() {
    return true;
  }
}
