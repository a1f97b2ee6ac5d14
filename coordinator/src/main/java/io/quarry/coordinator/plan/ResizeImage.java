package io.quarry.coordinator.plan;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.quarry.common.api.StorageException;
import io.quarry.common.model.ImageKind;
import io.quarry.coordinator.plan.FixState.Worker;
import org.jspecify.annotations.Nullable;

/**
 * A disk gets larger. A hidden snapshot takes over the disk's volume, and the disk continues in a
 * new overlay of the new size, whose end reads as zeros. Growing the file itself would make the
 * agent a second writer of a published file. An agent that paused half-way could later cut off data
 * that a guest has written since.
 *
 * @param hiddenSnapshotId the snapshot that takes over the disk's volume
 * @param overlayVolumeId the disk's next volume
 */
public record ResizeImage(
    String imageId,
    long size,
    @JsonProperty("weakSnapshotId") String hiddenSnapshotId,
    String overlayVolumeId,
    @Nullable Worker worker)
    implements Request {
  public ResizeImage {
    Checked.name("imageId", imageId);
    PlanErrors.checkSize(size);
    Checked.name("weakSnapshotId", hiddenSnapshotId);
    Checked.volume("overlayVolumeId", overlayVolumeId);
    Checked.workerOrNull(worker);
  }

  @Override
  public String answeredWith() {
    return imageId;
  }

  @Override
  public Reply plan(Transaction transaction) {
    Image disk = transaction.state().visibleImage(imageId);
    if (disk == null) {
      throw PlanErrors.imageNotFound(imageId);
    }
    if (disk.kind() != ImageKind.VIRTUAL_DISK) {
      throw PlanErrors.wrongKind(disk, ImageKind.VIRTUAL_DISK);
    }
    if (size < disk.size()) {
      throw StorageException.invalid(
          "size",
          "size " + size + " is less than the disk's " + disk.size() + ", and disks only grow",
          "give at least " + disk.size());
    }
    if (size > disk.size()) {
      CreateSnapshot.freeze(
          transaction,
          disk,
          hiddenSnapshotId,
          disk.sized(size).on(overlayVolumeId),
          false,
          true,
          JsonNodeFactory.instance.objectNode(),
          worker);
    }
    return transaction.reply(this, imageId);
  }
}
