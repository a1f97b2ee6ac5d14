package io.quarry.coordinator.plan;

/** The files of a tombstoned volume are gone, and the log forgets the volume. */
public record PurgeVolume(String fixId, String volumeId) implements Request {
  public PurgeVolume {
    Checked.internal("fixId", fixId);
    Checked.volume("volumeId", volumeId);
  }

  @Override
  public Reply plan(Transaction transaction) {
    Volume volume = transaction.state().volumes().get(volumeId);
    if (volume == null
        || volume.stage() != Volume.Stage.TOMBSTONED
        || !FixState.cleanId(volumeId).equals(fixId)) {
      throw PlanErrors.stale(fixId, "it is done, or was never tombstoned");
    }
    ExtentChanges extents = new ExtentChanges(transaction);
    transaction.state().extents().ofVolume(volumeId).forEach(each -> extents.free(each.file()));
    transaction.add(new Change.DropVolume(volumeId));
    transaction.dropFix(FixState.cleanId(volumeId));
    transaction.settle(volume.parentImageId());
    return transaction.reply(this, volumeId);
  }

  @Override
  public boolean freesSpace() {
    return true;
  }
}
