package io.quarry.coordinator.plan;

/**
 * Keeps a snapshot, and the very volumes that hold it now. The pin comes before the log of another
 * repository names the snapshot as base of an overlay. VMs that use the overlay have the paths of
 * these volumes.
 *
 * @param size of the overlay; a size that the other repository would refuse must leave no pin here
 */
public record PinAsBase(
    String pinId, String imageId, String targetKey, String targetImageId, long size)
    implements Request {
  public PinAsBase {
    Checked.name("pinId", pinId);
    Checked.name("imageId", imageId);
    Checked.name("targetKey", targetKey);
    Checked.name("targetImageId", targetImageId);
    PlanErrors.checkSize(size);
  }

  @Override
  public Reply plan(Transaction transaction) {
    RepositoryState state = transaction.state();
    Image base = CreateVirtualDisk.usableBase(state, state.visibleImage(imageId), imageId);
    if (state.pins().containsKey(pinId)) {
      throw PlanErrors.exists("pin", pinId);
    }
    CreateVirtualDisk.checkSize(size, base.size());
    ChainLength.requireRoomOver(state, base);
    BackingChain layers = state.layersOf(base);
    if (layers.elsewhere() != null) {
      throw PlanErrors.elsewhere(base, state);
    }
    transaction.add(
        new Change.PutPin(
            new Pin(
                pinId,
                imageId,
                null,
                targetKey,
                targetImageId,
                transaction.now(),
                layers.volumeIds())));
    transaction.settleOwners(layers.volumeIds());
    return transaction.reply(this, imageId);
  }
}
