package io.quarry.coordinator.plan;

/** The files of a tombstoned volume are gone, and so is the last trace of it. */
public record PurgeVolume(String fixId, String volumeId) implements Request {
  public PurgeVolume {
    Checked.internal("fixId", fixId);
    Checked.volume("volumeId", volumeId);
  }

  @Override
  public Reply plan(Transaction draft) {
    Volume volume = draft.state().volumes().get(volumeId);
    if (volume == null
        || volume.stage() != Volume.Stage.TOMBSTONED
        || !FixState.cleanId(volumeId).equals(fixId)) {
      throw PlanErrors.stale(fixId, "it is done, or was never tombstoned");
    }
    draft.add(new Change.DropVolume(volumeId));
    draft.dropFix(FixState.cleanId(volumeId));
    draft.settle(volume.parentImageId());
    return draft.reply(this, volumeId);
  }

  @Override
  public boolean freesSpace() {
    return true;
  }
}
