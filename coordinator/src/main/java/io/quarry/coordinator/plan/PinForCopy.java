package io.quarry.coordinator.plan;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.quarry.common.model.ImageKind;
import io.quarry.coordinator.plan.FixState.Worker;
import org.jspecify.annotations.Nullable;

/**
 * Keeps the source of a copy before the target's log names it. A disk is frozen first: the pin then
 * holds a weak snapshot, and the reply names that.
 *
 * @param weakSnapshotId the snapshot that is taken when the image is a disk
 * @param overlayVolumeId the disk's next volume in that case
 */
public record PinForCopy(
    String pinId,
    String imageId,
    String weakSnapshotId,
    String overlayVolumeId,
    String targetKey,
    String targetImageId,
    @Nullable Worker worker)
    implements Request {

  @Override
  public Reply plan(Draft draft) {
    Image image = draft.state().strongImage(imageId);
    if (image == null) {
      throw Refusal.imageNotFound(imageId);
    }
    if (draft.state().pins().containsKey(pinId)) {
      throw Refusal.exists("pin", pinId);
    }
    String source = imageId;
    if (image.kind() == ImageKind.VIRTUAL_DISK) {
      source = weakSnapshotId;
      CreateSnapshot.freeze(
          draft,
          image,
          weakSnapshotId,
          image.on(overlayVolumeId),
          false,
          true,
          JsonNodeFactory.instance.objectNode(),
          worker);
    }
    draft.add(new Change.PutPin(new Pin(pinId, source, targetKey, targetImageId, draft.now())));
    return draft.reply(this, source);
  }
}
