package io.quarry.coordinator.plan;

/**
 * Publishes a volume: from this commit on, that one file is its content. Whoever comes first wins;
 * later epochs learn that their work is no longer needed.
 *
 * @param file the file the worker wrote, flushed and let go of
 */
public record FinishMend(String fixId, String volumeId, long epoch, String file)
    implements Request {
  public FinishMend {
    Checked.internal("fixId", fixId);
    Checked.volume("volumeId", volumeId);
    Checked.notNegative("epoch", epoch);
    Checked.file("file", file);
  }

  @Override
  public Reply plan(Draft draft) {
    RepositoryState state = draft.state();
    FixState fix = state.fixes().get(fixId);
    Volume volume = state.volumes().get(volumeId);
    if (fix == null || volume == null || volume.stage() != Volume.Stage.INTENDED) {
      throw Refusal.stale(fixId, "another worker finished it, or its image was removed");
    }
    if (volume.replaces() != null
        || !FixState.makerId(volume).equals(fixId)
        || !volume.mayBePublished(file, epoch)) {
      throw Refusal.stale(fixId, "file " + file + " is not one of volume " + volumeId);
    }
    draft.add(new Change.PutVolume(volume.ready(file)));
    draft.add(new Change.DropFix(fixId));
    draft.settle(volume.imageId());
    draft.settle(volume.parentImageId());
    draft.settleOverlays(volume.imageId());
    return draft.reply(this, volumeId);
  }
}
