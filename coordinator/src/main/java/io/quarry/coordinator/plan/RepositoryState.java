package io.quarry.coordinator.plan;

import io.quarry.common.model.ImageKind;
import io.quarry.common.model.ImageState;
import io.quarry.common.model.Strategy;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.pcollections.HashTreePMap;
import org.pcollections.PMap;
import org.pcollections.PSet;
import org.pcollections.TreePMap;

/**
 * Everything a repository's log says, up to one commit. Immutable: readers keep a reference, the
 * next commit makes a new state that shares nearly all of it. An update costs O(log n).
 */
public final class RepositoryState {
  public static final RepositoryState EMPTY =
      new RepositoryState(
          TreePMap.empty(),
          Volumes.NONE,
          Fixes.NONE,
          HashTreePMap.empty(),
          HashTreePMap.empty(),
          Index.EMPTY,
          Index.EMPTY,
          RecentRequests.NONE);

  private final TreePMap<String, Image> images;
  private final Volumes volumes;
  private final Fixes fixes;
  private final PMap<String, Pin> pins;
  private final PMap<String, Open> opens;
  private final Index pinsOfImage;
  private final Index opensOfImage;
  private final RecentRequests requests;

  private RepositoryState(
      TreePMap<String, Image> images,
      Volumes volumes,
      Fixes fixes,
      PMap<String, Pin> pins,
      PMap<String, Open> opens,
      Index pinsOfImage,
      Index opensOfImage,
      RecentRequests requests) {
    this.images = images;
    this.volumes = volumes;
    this.fixes = fixes;
    this.pins = pins;
    this.opens = opens;
    this.pinsOfImage = pinsOfImage;
    this.opensOfImage = opensOfImage;
    this.requests = requests;
  }

  /** All images, weak ones too, in the order of their ids. */
  public TreePMap<String, Image> images() {
    return images;
  }

  public PMap<String, Volume> volumes() {
    return volumes.all();
  }

  public PMap<String, FixState> fixes() {
    return fixes.all();
  }

  /** The outstanding fixes by whose turn it is. */
  public Fixes work() {
    return fixes;
  }

  public PMap<String, Pin> pins() {
    return pins;
  }

  public PMap<String, Open> opens() {
    return opens;
  }

  public RecentRequests requests() {
    return requests;
  }

  /** Volumes that are overlays of the image, also tombstoned ones: their files may still exist. */
  public PSet<String> overlaysOf(String imageId) {
    return volumes.overlaysOf(imageId);
  }

  public PSet<String> pinsOf(String imageId) {
    return pinsOfImage.of(imageId);
  }

  public PSet<String> opensOf(String imageId) {
    return opensOfImage.of(imageId);
  }

  /** The visible image of that id, or null. */
  public @Nullable Image strongImage(String id) {
    Image image = images.get(id);
    return image != null && image.strong() ? image : null;
  }

  /** The volume of an image; every image has one. */
  public Volume volumeOf(Image image) {
    Volume volume = volumes().get(image.volumeId());
    if (volume == null) {
      throw new IllegalStateException("image " + image.id() + " has no volume");
    }
    return volume;
  }

  /** What is being made to take the place of a volume, or null. */
  public @Nullable Volume replacementOf(String volumeId) {
    return volumes.replacementsOf(volumeId).stream().map(volumes()::get).findAny().orElse(null);
  }

  /** How well the image is represented, as recorded. */
  public ImageState stateOf(Image image) {
    Volume volume = volumeOf(image);
    if (volume.stage() != Volume.Stage.READY) {
      return ImageState.BROKEN;
    }
    return wantsItsOwn(image, volume) ? ImageState.DEGRADED : ImageState.OPTIMIZED;
  }

  /**
   * A disk that is to be fast should not be an overlay. A snapshot keeps the volume that it was
   * taken with.
   */
  private static boolean wantsItsOwn(Image image, Volume volume) {
    return image.strong()
        && image.kind() == ImageKind.VIRTUAL_DISK
        && image.strategy() == Strategy.PERFORMANCE
        && volume.parentImageId() != null;
  }

  /** The fix that brings the image closer to its best state, or null. */
  public @Nullable FixState fixOf(Image image) {
    Volume volume = volumeOf(image);
    Volume better = volume.stage() == Volume.Stage.READY ? replacementOf(volume.id()) : volume;
    return better == null ? null : fixes().get(FixState.makerId(better));
  }

  /** What keeps the image from being optimized, for people; null when nothing does. */
  public @Nullable String missingOf(Image image) {
    Volume volume = volumeOf(image);
    if (volume.stage() == Volume.Stage.READY) {
      return wantsItsOwn(image, volume)
          ? "it is an overlay of " + volume.parentImageId() + " and is to be independent"
          : null;
    }
    return volume.source() == null
        ? "its volume has not been made yet"
        : "its data has not been copied yet";
  }

  /** The same, and why nobody does anything about it; null when the image is optimized. */
  public @Nullable String reasonOf(Image image) {
    String missing = missingOf(image);
    if (missing == null) {
      return null;
    }
    if (volumeOf(image).stage() == Volume.Stage.READY && !opensOf(image.id()).isEmpty()) {
      return missing + "; that has to wait until it is closed";
    }
    FixState fix = fixOf(image);
    if (fix == null || fix.runnable()) {
      return missing;
    }
    String what = missing + "; the " + fix.type().label();
    if (fix.parked()) {
      return what + " failed " + fix.failures() + " times and is parked";
    }
    return fix.paused()
        ? what + " is paused"
        : missing + "; nobody has asked for the " + fix.type().label();
  }

  /** The image and what it is an overlay of, from the top down. */
  public List<Image> chainOf(Image top) {
    List<Image> chain = new ArrayList<>();
    @Nullable Image image = top;
    while (image != null) {
      chain.add(image);
      String parent = volumeOf(image).parentImageId();
      image = parent == null ? null : images.get(parent);
    }
    return chain;
  }

  /** The state after a request was answered. */
  public RepositoryState remember(String requestId, Reply reply) {
    return withRequests(requests.plus(requestId, reply));
  }

  public RepositoryState withRequests(RecentRequests newRequests) {
    return new RepositoryState(
        images, volumes, fixes, pins, opens, pinsOfImage, opensOfImage, newRequests);
  }

  /** The state after one change. */
  public RepositoryState apply(Change change) {
    return switch (change) {
      case Change.PutImage put -> withImages(images.plus(put.image().id(), put.image()));
      case Change.DropImage drop -> withImages(images.minus(drop.id()));
      case Change.PutVolume put -> withVolumes(volumes.plus(put.volume()));
      case Change.DropVolume drop -> withVolumes(volumes.minus(drop.id()));
      case Change.PutFix put -> withFixes(fixes.plus(put.fix()));
      case Change.DropFix drop -> withFixes(fixes.minus(drop.id()));
      case Change.PutPin put ->
          with(
              images,
              volumes,
              fixes,
              pins.plus(put.pin().id(), put.pin()),
              opens,
              pinsOfImage.plus(put.pin().imageId(), put.pin().id()),
              opensOfImage);
      case Change.DropPin drop -> {
        Pin pin = pins.get(drop.id());
        yield with(
            images,
            volumes,
            fixes,
            pins.minus(drop.id()),
            opens,
            pin == null ? pinsOfImage : pinsOfImage.minus(pin.imageId(), pin.id()),
            opensOfImage);
      }
      case Change.PutOpen put ->
          with(
              images,
              volumes,
              fixes,
              pins,
              opens.plus(put.open().id(), put.open()),
              pinsOfImage,
              opensOfImage.plus(put.open().imageId(), put.open().id()));
      case Change.DropOpen drop -> {
        Open open = opens.get(drop.id());
        yield with(
            images,
            volumes,
            fixes,
            pins,
            opens.minus(drop.id()),
            pinsOfImage,
            open == null ? opensOfImage : opensOfImage.minus(open.imageId(), open.id()));
      }
    };
  }

  /** The changes that make this state out of an empty one: what a checkpoint holds. */
  public List<Change> asChanges() {
    List<Change> all = new ArrayList<>();
    images.values().forEach(image -> all.add(new Change.PutImage(image)));
    volumes().values().forEach(volume -> all.add(new Change.PutVolume(volume)));
    fixes().values().forEach(fix -> all.add(new Change.PutFix(fix)));
    pins.values().forEach(pin -> all.add(new Change.PutPin(pin)));
    opens.values().forEach(open -> all.add(new Change.PutOpen(open)));
    return all;
  }

  private RepositoryState withImages(TreePMap<String, Image> newImages) {
    return with(newImages, volumes, fixes, pins, opens, pinsOfImage, opensOfImage);
  }

  private RepositoryState withVolumes(Volumes newVolumes) {
    return with(images, newVolumes, fixes, pins, opens, pinsOfImage, opensOfImage);
  }

  private RepositoryState withFixes(Fixes newFixes) {
    return with(images, volumes, newFixes, pins, opens, pinsOfImage, opensOfImage);
  }

  private RepositoryState with(
      TreePMap<String, Image> newImages,
      Volumes newVolumes,
      Fixes newFixes,
      PMap<String, Pin> newPins,
      PMap<String, Open> newOpens,
      Index newPinsOfImage,
      Index newOpensOfImage) {
    return new RepositoryState(
        newImages,
        newVolumes,
        newFixes,
        newPins,
        newOpens,
        newPinsOfImage,
        newOpensOfImage,
        requests);
  }
}
