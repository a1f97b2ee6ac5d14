package io.quarry.coordinator.plan;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.quarry.common.model.ImageKind;
import io.quarry.common.model.Strategy;
import io.quarry.common.model.VolumeFormat;
import io.quarry.coordinator.plan.Volume.CopySource;

/**
 * A full copy of a pinned image, in a raw volume of its own. A snapshot keeps its id; where it is
 * already, whole or on its way, that one is the answer and the caller gives up its pin.
 */
public record CopyImage(
    String imageId,
    String volumeId,
    ImageKind kind,
    long size,
    CopySource source,
    Strategy strategy,
    boolean autoFix,
    ObjectNode userData)
    implements Request {

  @Override
  public Reply plan(Draft draft) {
    Refusal.checkSize(size);
    Image present = draft.state().images().get(imageId);
    if (present != null && !(kind == ImageKind.SNAPSHOT && present.kind() == kind)) {
      throw Refusal.imageExists(imageId);
    }
    if (present != null && usable(draft.state(), present)) {
      if (!present.strong()) {
        draft.add(new Change.PutImage(present.strongAgain()));
        draft.settle(imageId);
      }
      return draft.reply(this, imageId);
    }
    if (present != null) {
      draft.tombstone(draft.state().volumeOf(present), true);
    }
    draft.add(
        new Change.PutImage(
            Image.strong(imageId, kind, size, volumeId, strategy, autoFix, draft.now(), userData)));
    draft.intend(
        new Volume(
            volumeId,
            imageId,
            VolumeFormat.RAW,
            size,
            null,
            Volume.Stage.INTENDED,
            null,
            source,
            null),
        autoFix,
        null);
    return draft.reply(this, imageId);
  }

  /** A removed copy that was never finished is made anew: its pin may be gone. */
  private static boolean usable(RepositoryState state, Image present) {
    return present.strong() || state.volumeOf(present).stage() == Volume.Stage.READY;
  }
}
