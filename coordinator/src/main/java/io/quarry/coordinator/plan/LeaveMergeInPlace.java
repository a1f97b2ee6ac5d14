package io.quarry.coordinator.plan;

import io.quarry.coordinator.plan.Volume.Writer;

/**
 * Nothing of that writer writes to the volume any more.
 *
 * @param baseVolumeId what was written down into
 */
public record LeaveMergeInPlace(String baseVolumeId, Writer writer) implements Request {
  public LeaveMergeInPlace {
    Checked.volume("baseVolumeId", baseVolumeId);
    Checked.writer(writer);
  }

  @Override
  public Reply plan(Draft draft) {
    Volume base = draft.state().volumes().get(baseVolumeId);
    if (base != null && writer.equals(base.writer())) {
      draft.add(new Change.PutVolume(base.writtenBy(null)));
      draft.settle(base.imageId());
    }
    return draft.reply(this, baseVolumeId);
  }

  /** Without it nobody else can merge into the volume. */
  @Override
  public boolean freesSpace() {
    return true;
  }
}
