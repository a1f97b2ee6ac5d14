package io.quarry.coordinator.plan;

import io.quarry.common.model.ImageKind;
import io.quarry.coordinator.plan.Open.Layers;
import io.quarry.coordinator.plan.Open.Upload;
import io.quarry.coordinator.plan.Open.User;
import org.jspecify.annotations.Nullable;

/**
 * A user starts to use an image on a host. An image has one writer, or any number of readers.
 *
 * @param incarnation of the agent, if the agent itself is the user
 * @param boot of the host; null when unknown, and for logs without {@link Feature#BOOT_IDS}
 */
public record OpenImage(
    String openId,
    String imageId,
    boolean readOnly,
    String hostId,
    @Nullable String owner,
    @Nullable String incarnation,
    @Nullable HostBoot boot)
    implements Request {
  public static final String OPERATION = "openImage";

  public OpenImage {
    Checked.name("openId", openId);
    Checked.name("imageId", imageId);
    Checked.name("hostId", hostId);
    Checked.lineOrNull("owner", owner);
    Checked.nameOrNull("incarnation", incarnation);
    if (boot != null) {
      Checked.boot(boot);
    }
  }

  /** For a host whose boot is unknown. */
  public OpenImage(
      String openId,
      String imageId,
      boolean readOnly,
      String hostId,
      @Nullable String owner,
      @Nullable String incarnation) {
    this(openId, imageId, readOnly, hostId, owner, incarnation, null);
  }

  @Override
  public Reply plan(Transaction transaction) {
    Image wanted = transaction.state().visibleImage(imageId);
    if (!readOnly && wanted != null && wanted.kind() == ImageKind.SNAPSHOT) {
      throw PlanErrors.snapshotForWriting(wanted);
    }
    Image image = usable(transaction.state(), openId, imageId, readOnly);
    BackingChain layers = transaction.state().layersOf(image);
    ChainLength.requireUsable(image, layers.here().size());
    HostBoot knownBoot = transaction.state().schema().has(Feature.BOOT_IDS) ? boot : null;
    transaction.add(
        new Change.PutOpen(
            new Open(
                openId,
                imageId,
                new User(hostId, owner, incarnation, knownBoot),
                readOnly,
                new Layers(layers.volumeIds(), layers.elsewhere()),
                Upload.NONE,
                transaction.now())));
    if (!readOnly) {
      transaction.add(new Change.PutImage(image.changeableSince(transaction.commit())));
    }
    transaction.settle(imageId);
    transaction.settleOwners(layers.volumeIds());
    return transaction.reply(this, openId);
  }

  @Override
  public boolean usesImages() {
    return true;
  }

  /** The image, if nothing forbids this use. */
  static Image usable(RepositoryState state, String openId, String imageId, boolean readOnly) {
    Image image = state.visibleImage(imageId);
    if (image == null) {
      throw PlanErrors.imageNotFound(imageId);
    }
    if (state.opens().containsKey(openId)) {
      throw PlanErrors.exists("open", openId);
    }
    if (!readOnly && image.kind() != ImageKind.VIRTUAL_DISK) {
      throw PlanErrors.wrongKind(image, ImageKind.VIRTUAL_DISK);
    }
    for (String otherId : state.opensOf(imageId)) {
      Open other = state.opens().get(otherId);
      if (other != null && !(readOnly && other.readOnly())) {
        throw PlanErrors.inUse(image, other);
      }
    }
    if (!state.isWhole(image)) {
      throw PlanErrors.broken(image, state);
    }
    return image;
  }
}
