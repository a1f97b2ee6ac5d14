package io.quarry.coordinator.plan;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.quarry.common.model.ImageKind;
import io.quarry.coordinator.plan.FixState.Worker;
import io.quarry.coordinator.plan.Image.Content;
import io.quarry.coordinator.plan.Image.Options;
import io.quarry.coordinator.plan.Image.Visibility;
import io.quarry.coordinator.plan.Volume.Origin;
import org.jspecify.annotations.Nullable;

/**
 * The snapshot takes over the disk's volume and the disk continues in a new overlay: one commit.
 *
 * @param overlayVolumeId the disk's next volume
 */
public record CreateSnapshot(
    String snapshotId,
    String diskId,
    String overlayVolumeId,
    boolean autoFix,
    ObjectNode userData,
    @Nullable Worker worker)
    implements Request {
  public CreateSnapshot {
    Checked.name("snapshotId", snapshotId);
    Checked.name("diskId", diskId);
    Checked.volume("overlayVolumeId", overlayVolumeId);
    Checked.userData(userData);
    Checked.workerOrNull(worker);
  }

  @Override
  public Reply plan(Transaction transaction) {
    Image disk = transaction.state().visibleImage(diskId);
    if (disk == null) {
      throw PlanErrors.imageNotFound(diskId);
    }
    freeze(
        transaction, disk, snapshotId, disk.on(overlayVolumeId), true, autoFix, userData, worker);
    return transaction.reply(this, snapshotId);
  }

  /**
   * Also makes the hidden snapshots for copies of disks.
   *
   * @param next the disk in its next volume
   */
  static void freeze(
      Transaction transaction,
      Image disk,
      String snapshotId,
      Image next,
      boolean visible,
      boolean autoFix,
      ObjectNode userData,
      @Nullable Worker worker) {
    RepositoryState state = transaction.state();
    if (disk.kind() != ImageKind.VIRTUAL_DISK) {
      throw PlanErrors.wrongKind(disk, ImageKind.VIRTUAL_DISK);
    }
    if (state.images().containsKey(snapshotId)) {
      throw PlanErrors.imageExists(snapshotId);
    }
    Open writer = state.writerOf(disk.id());
    if (writer != null) {
      throw PlanErrors.inUse(disk, writer);
    }
    Volume volume = state.volumeOf(disk);
    if (!state.isWhole(disk)) {
      throw PlanErrors.broken(disk, state);
    }
    ChainLength.requireRoomOver(state, disk);
    transaction.add(
        new Change.PutImage(
            new Image(
                snapshotId,
                ImageKind.SNAPSHOT,
                new Visibility(visible, null),
                new Content(disk.size(), volume.id()),
                new Options(disk.strategy(), autoFix, userData),
                transaction.now())));
    transaction.giveUpReplacement(volume, disk.autoFix());
    transaction.add(new Change.PutVolume(volume.ownedBy(snapshotId)));
    transaction.add(new Change.PutImage(next));
    transaction.intend(
        new Volume(
            next.volumeId(),
            next.id(),
            transaction.layout().over(next.size(), snapshotId),
            Origin.NONE),
        autoFix,
        worker);
    transaction.settle(snapshotId);
  }
}
