package io.quarry.coordinator.plan;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.quarry.common.api.StorageException;
import io.quarry.common.model.ImageKind;
import io.quarry.common.model.Strategy;
import io.quarry.coordinator.plan.FixState.Worker;
import io.quarry.coordinator.plan.Image.Content;
import io.quarry.coordinator.plan.Image.Options;
import io.quarry.coordinator.plan.Image.Visibility;
import io.quarry.coordinator.plan.Volume.CopySource;
import io.quarry.coordinator.plan.Volume.Origin;
import org.jspecify.annotations.Nullable;

/**
 * A new disk: empty (raw), or an overlay (qcow2) over a snapshot. The snapshot may be pinned in
 * another repository: then the overlay is usable at once, and the base's data follows. To save
 * space, the base itself is copied once for all its overlays, as an invisible image. A fast disk
 * takes in the base's data instead.
 *
 * @param elsewhere where the base is, unless the base was found here
 * @param worker the worker that makes the volume at once, as holder of the mend's first epoch
 */
public record CreateVirtualDisk(
    String imageId,
    String volumeId,
    long size,
    @Nullable String baseSnapshotId,
    @Nullable Elsewhere elsewhere,
    Strategy strategy,
    boolean autoFix,
    ObjectNode userData,
    @Nullable Worker worker)
    implements Request {
  public CreateVirtualDisk {
    Checked.name("imageId", imageId);
    Checked.volume("volumeId", volumeId);
    PlanErrors.checkSize(size);
    Checked.nameOrNull("baseSnapshotId", baseSnapshotId);
    Checked.present("strategy", strategy);
    Checked.userData(userData);
    Checked.workerOrNull(worker);
  }

  /**
   * A base in another repository.
   *
   * @param size its virtual size in bytes
   * @param volumeId for the base's copy, if there will be one
   */
  public record Elsewhere(CopySource source, long size, String volumeId) {
    public Elsewhere {
      Checked.source(source);
      PlanErrors.checkSize(size);
      Checked.volume("volumeId", volumeId);
    }
  }

  @Override
  public Reply plan(Transaction transaction) {
    if (transaction.state().images().containsKey(imageId)) {
      throw PlanErrors.imageExists(imageId);
    }
    CopySource baseSource = baseSnapshotId == null ? null : base(transaction, baseSnapshotId);
    Image base = baseSnapshotId == null ? null : transaction.state().images().get(baseSnapshotId);
    Image alone = base == null ? null : new MergeRules(transaction.state()).above(base);
    transaction.add(
        new Change.PutImage(
            new Image(
                imageId,
                ImageKind.VIRTUAL_DISK,
                Visibility.VISIBLE,
                new Content(size, volumeId),
                new Options(strategy, autoFix, userData),
                transaction.now())));
    transaction.intend(
        new Volume(
            volumeId,
            imageId,
            transaction.layout().over(size, baseSnapshotId),
            Origin.over(baseSource)),
        autoFix,
        worker);
    if (elsewhere != null) {
      // The base now has more than one overlay, so the first overlay must not absorb it.
      transaction.settle(baseSnapshotId);
      transaction.settle(alone == null ? null : alone.id());
    }
    return transaction.reply(this, imageId);
  }

  /** Where the base is read for now; null when it is whole here. */
  private @Nullable CopySource base(Transaction transaction, String baseId) {
    RepositoryState state = transaction.state();
    Image here = state.images().get(baseId);
    if (elsewhere == null) {
      Image base = usableBase(state, state.visibleImage(baseId), baseId);
      checkSize(size, base.size());
      ChainLength.requireRoomOver(state, base);
      return null;
    }
    if (here != null && here.kind() != ImageKind.SNAPSHOT) {
      throw PlanErrors.wrongKind(here, ImageKind.SNAPSHOT);
    }
    checkSize(size, elsewhere.size());
    if (here != null && state.isWhole(here)) {
      ChainLength.requireRoomOver(state, here);
      return null;
    }
    if (strategy == Strategy.SPACE) {
      bring(transaction, baseId, here, elsewhere);
    }
    return elsewhere.source();
  }

  /** Begins to copy the base, or requests a copy that was begun. */
  private void bring(Transaction transaction, String baseId, @Nullable Image here, Elsewhere from) {
    if (here == null) {
      transaction.add(
          new Change.PutImage(
              new Image(
                  baseId,
                  ImageKind.SNAPSHOT,
                  Visibility.INTERNAL,
                  new Content(from.size(), from.volumeId()),
                  new Options(strategy, true, JsonNodeFactory.instance.objectNode()),
                  transaction.now())));
      transaction.intend(
          new Volume(
              from.volumeId(),
              baseId,
              transaction.layout().over(from.size(), null),
              Origin.copyOf(from.source().ofBase())),
          autoFix,
          null);
      transaction.settleOverlays(baseId);
      return;
    }
    FixState maker = transaction.state().fixOf(here);
    if (autoFix && maker != null && !maker.wanted() && !maker.parked()) {
      transaction.add(new Change.PutFix(maker.asked(null)));
    }
  }

  /** A snapshot that disks can be made over. */
  static Image usableBase(RepositoryState state, @Nullable Image base, String baseId) {
    if (base == null) {
      throw PlanErrors.imageNotFound(baseId);
    }
    if (base.kind() != ImageKind.SNAPSHOT) {
      throw PlanErrors.wrongKind(base, ImageKind.SNAPSHOT);
    }
    if (!state.isWhole(base)) {
      throw PlanErrors.broken(base, state);
    }
    return base;
  }

  static void checkSize(long size, long baseSize) {
    if (size < baseSize) {
      throw StorageException.invalid(
          "size",
          "size " + size + " is less than the base snapshot's " + baseSize,
          "give at least " + baseSize);
    }
  }
}
