package io.quarry.coordinator.plan;

import io.quarry.coordinator.plan.FixState.Worker;

/**
 * Nothing of that worker writes to the volume any more.
 *
 * @param volumeId what was written down into
 */
public record LeaveMergeInPlace(String volumeId, Worker worker) implements Request {
  @Override
  public Reply plan(Draft draft) {
    Volume base = draft.state().volumes().get(volumeId);
    if (base != null && base.writer() != null && base.writer().worker().equals(worker)) {
      draft.add(new Change.PutVolume(base.writtenBy(null)));
      draft.settle(base.imageId());
    }
    return draft.reply(this, volumeId);
  }
}
