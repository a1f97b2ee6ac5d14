package io.quarry.coordinator.plan;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.quarry.common.api.StorageException;
import io.quarry.common.model.ImageKind;
import io.quarry.common.model.Strategy;
import io.quarry.coordinator.plan.Image.Content;
import io.quarry.coordinator.plan.Image.Options;
import io.quarry.coordinator.plan.Image.Visibility;
import io.quarry.coordinator.plan.Volume.CopySource;
import io.quarry.coordinator.plan.Volume.Origin;
import org.jspecify.annotations.Nullable;

/**
 * A copy of a pinned image: all of it in a raw volume, or the difference to a snapshot, which need
 * not be here. A snapshot keeps its id. If the snapshot is here already, whole or on its way, it is
 * the answer and the caller releases its pin.
 *
 * @param baseImageId the snapshot to which the copy is a difference
 */
public record CopyImage(
    String imageId,
    String volumeId,
    ImageKind kind,
    long size,
    @Nullable String baseImageId,
    CopySource source,
    Strategy strategy,
    boolean autoFix,
    ObjectNode userData)
    implements Request {
  public CopyImage {
    Checked.name("imageId", imageId);
    Checked.volume("volumeId", volumeId);
    Checked.present("kind", kind);
    PlanErrors.checkSize(size);
    Checked.nameOrNull("baseImageId", baseImageId);
    Checked.source(source);
    Checked.present("strategy", strategy);
    Checked.userData(userData);
  }

  @Override
  public Reply plan(Transaction transaction) {
    if (baseImageId != null) {
      checkBase(transaction.state(), baseImageId);
    }
    Image base = baseImageId == null ? null : transaction.state().images().get(baseImageId);
    Image alone = base == null ? null : new MergeRules(transaction.state()).above(base);
    Image present = transaction.state().images().get(imageId);
    if (present != null && !(kind == ImageKind.SNAPSHOT && present.kind() == kind)) {
      throw PlanErrors.imageExists(imageId);
    }
    if (present != null && usable(transaction.state(), present)) {
      if (!present.visible()) {
        transaction.add(new Change.PutImage(present.copiedAgain(autoFix, userData)));
        transaction.settle(imageId);
      }
      return transaction.reply(this, imageId);
    }
    if (present != null) {
      checkSource(transaction.state());
      Volume before = transaction.state().volumeOf(present);
      transaction.giveUpReplacement(before, true);
      transaction.retire(before, true);
    }
    transaction.add(
        new Change.PutImage(
            new Image(
                imageId,
                kind,
                Visibility.VISIBLE,
                new Content(size, volumeId),
                new Options(strategy, autoFix, userData),
                transaction.now())));
    transaction.intend(
        new Volume(
            volumeId, imageId, transaction.layout().over(size, baseImageId), Origin.copyOf(source)),
        autoFix,
        null);
    transaction.settle(baseImageId);
    // The base now has more than this one overlay, so that overlay must not absorb it.
    transaction.settle(alone == null ? null : alone.id());
    transaction.settleOverlays(imageId);
    return transaction.reply(this, imageId);
  }

  private void checkBase(RepositoryState state, String baseId) {
    Image base = state.images().get(baseId);
    if (base != null && base.kind() != ImageKind.SNAPSHOT) {
      throw PlanErrors.wrongKind(base, ImageKind.SNAPSHOT);
    }
    boolean above = baseId.equals(imageId) || (base != null && isBelow(state, base));
    if (above || (base != null && base.size() > size)) {
      throw StorageException.invalid(
          "baseImageId", baseId + " cannot be the base of " + imageId, "name a snapshot below it");
    }
    if (base != null) {
      ChainLength.requireRoomOver(state, base);
    }
  }

  /** Two copies that wait for each other would pin each other for ever. */
  private void checkSource(RepositoryState state) {
    boolean waitsForThis =
        state.pinsOf(imageId).stream()
            .map(state.pins()::get)
            .anyMatch(pin ->
                pin != null
                    && pin.targetKey().equals(source.repositoryKey())
                    && pin.targetImageId().equals(source.imageId()));
    if (waitsForThis) {
      throw StorageException.invalid(
          "imageId",
          "image " + imageId + " there is itself to be copied from the one that was removed here",
          "remove it there, too, or restore it here");
    }
  }

  /** Whether the copy would become its own base. */
  private boolean isBelow(RepositoryState state, Image base) {
    return state.chainOf(base).stream()
        .anyMatch(image -> imageId.equals(state.volumeOf(image).parentImageId()));
  }

  /**
   * Whether the present image can be the answer. A removed and unfinished copy cannot: its pin may
   * be gone. Nor can a copy that lacks its base, unless this copy would lack its base, too.
   */
  private boolean usable(RepositoryState state, Image present) {
    Image base = baseImageId == null ? null : state.images().get(baseImageId);
    boolean helps = baseImageId == null || (base != null && !state.lacksBase(base));
    if (helps && state.lacksBase(present)) {
      return false;
    }
    return present.visible() || state.volumeOf(present).stage() == Volume.Stage.READY;
  }
}
