package io.quarry.coordinator.plan;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.quarry.common.api.StorageException;
import io.quarry.common.model.ImageKind;
import io.quarry.common.model.Strategy;
import io.quarry.common.model.VolumeFormat;
import io.quarry.coordinator.plan.FixState.Worker;
import org.jspecify.annotations.Nullable;

/**
 * A new disk: empty (raw), or an overlay (qcow2) over a snapshot of the same repository.
 *
 * @param worker who makes the volume at once, as holder of the mend's first epoch
 */
public record CreateVirtualDisk(
    String imageId,
    String volumeId,
    long size,
    @Nullable String baseSnapshotId,
    Strategy strategy,
    boolean autoFix,
    ObjectNode userData,
    @Nullable Worker worker)
    implements Request {

  @Override
  public Reply plan(Draft draft) {
    Refusal.checkSize(size);
    RepositoryState state = draft.state();
    if (state.images().containsKey(imageId)) {
      throw Refusal.imageExists(imageId);
    }
    if (baseSnapshotId != null) {
      checkBase(state, baseSnapshotId);
    }
    VolumeFormat format = baseSnapshotId == null ? VolumeFormat.RAW : VolumeFormat.QCOW2;
    draft.add(
        new Change.PutImage(
            Image.strong(
                imageId,
                ImageKind.VIRTUAL_DISK,
                size,
                volumeId,
                strategy,
                autoFix,
                draft.now(),
                userData)));
    draft.intend(
        new Volume(
            volumeId,
            imageId,
            format,
            size,
            baseSnapshotId,
            Volume.Stage.INTENDED,
            null,
            null,
            null),
        autoFix,
        worker);
    return draft.reply(this, imageId);
  }

  private void checkBase(RepositoryState state, String baseId) {
    Image base = state.strongImage(baseId);
    if (base == null) {
      throw Refusal.imageNotFound(baseId);
    }
    if (base.kind() != ImageKind.SNAPSHOT) {
      throw Refusal.wrongKind(base, ImageKind.SNAPSHOT);
    }
    if (!state.isWhole(base)) {
      throw Refusal.broken(base, state);
    }
    if (size < base.size()) {
      throw StorageException.invalid(
          "size",
          "size " + size + " is less than the base snapshot's " + base.size(),
          "give at least " + base.size());
    }
  }
}
