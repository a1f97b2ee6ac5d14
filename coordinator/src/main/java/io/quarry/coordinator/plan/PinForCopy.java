package io.quarry.coordinator.plan;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.quarry.common.api.StorageException;
import io.quarry.common.model.ImageKind;
import io.quarry.coordinator.plan.FixState.Worker;
import org.jspecify.annotations.Nullable;

/**
 * Keeps the source of a copy before the target's log names it. A disk is frozen first: the pin then
 * holds a hidden snapshot, and the reply names that snapshot.
 *
 * @param hiddenSnapshotId the snapshot that the SDM takes of a disk
 * @param overlayVolumeId the disk's next volume in that case
 * @param baseImageId another image to keep, set when only the difference to it is copied. The
 *     source need not be an overlay of that image
 */
public record PinForCopy(
    String pinId,
    String imageId,
    @JsonProperty("weakSnapshotId") String hiddenSnapshotId,
    String overlayVolumeId,
    String targetKey,
    String targetImageId,
    @Nullable String baseImageId,
    @Nullable Worker worker)
    implements Request {
  public PinForCopy {
    Checked.name("pinId", pinId);
    Checked.name("imageId", imageId);
    Checked.name("weakSnapshotId", hiddenSnapshotId);
    Checked.volume("overlayVolumeId", overlayVolumeId);
    Checked.name("targetKey", targetKey);
    Checked.name("targetImageId", targetImageId);
    Checked.nameOrNull("baseImageId", baseImageId);
    Checked.workerOrNull(worker);
  }

  @Override
  public Reply plan(Transaction transaction) {
    Image image = transaction.state().visibleImage(imageId);
    if (image == null) {
      throw PlanErrors.imageNotFound(imageId);
    }
    if (transaction.state().pins().containsKey(pinId)) {
      throw PlanErrors.exists("pin", pinId);
    }
    if (baseImageId != null) {
      checkBase(transaction.state(), image, baseImageId);
    }
    String source = imageId;
    if (image.kind() == ImageKind.VIRTUAL_DISK) {
      source = hiddenSnapshotId;
      CreateSnapshot.freeze(
          transaction,
          image,
          hiddenSnapshotId,
          image.on(overlayVolumeId),
          false,
          true,
          JsonNodeFactory.instance.objectNode(),
          worker);
    }
    transaction.add(
        new Change.PutPin(
            new Pin(pinId, source, baseImageId, targetKey, targetImageId, transaction.now())));
    return transaction.reply(this, source);
  }

  private static void checkBase(RepositoryState state, Image image, String baseId) {
    Image base = state.visibleImage(baseId);
    if (base == null) {
      throw PlanErrors.imageNotFound(baseId);
    }
    if (base.kind() != ImageKind.SNAPSHOT) {
      throw PlanErrors.wrongKind(base, ImageKind.SNAPSHOT);
    }
    if (base.equals(image) || base.size() > image.size()) {
      throw StorageException.invalid(
          "baseImageId",
          baseId + " cannot be the base of " + image.id(),
          "name another snapshot that is not larger, or copy all of the image");
    }
    // A source that is no overlay of the base is compared with the base, byte by byte.
    boolean below = state.chainOf(image).contains(base);
    if (!below && !state.isWhole(base)) {
      throw PlanErrors.broken(base, state);
    }
  }
}
