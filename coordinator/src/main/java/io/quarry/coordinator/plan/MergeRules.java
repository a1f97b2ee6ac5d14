package io.quarry.coordinator.plan;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Which hidden images are kept by nothing but the one image over them: their data is to go into
 * that one, and they with their volumes. Several in a row go at once.
 */
final class MergeRules {
  private final RepositoryState state;

  MergeRules(RepositoryState state) {
    this.state = state;
  }

  /** Whether nothing but one whole overlay keeps the image. */
  boolean mergeable(Image image) {
    if (image.visible()
        || wouldMoveAll(image)
        || !state.isWhole(image)
        || state.readsElsewhere(state.volumeOf(image))
        || !state.pinsOf(image.id()).isEmpty()
        || !state.opensOf(image.id()).isEmpty()) {
      return false;
    }
    Image above = above(image);
    return above != null && state.volumeOf(above).stage() == Volume.Stage.READY;
  }

  /**
   * Whether it is what a copy or a resize froze of an independent disk, and cannot be written down
   * into now: merging it into a new volume would move all of the disk, to be rid of one layer.
   */
  private boolean wouldMoveAll(Image image) {
    Volume volume = state.volumeOf(image);
    return !image.wasVisible()
        && volume.parentImageId() == null
        && volume.writer() == null
        && state.isUsed(volume.id());
  }

  /** The image that is an overlay of this one; null if there is none, or more than one. */
  @Nullable Image above(Image image) {
    Image only = null;
    for (String volumeId : state.overlaysOf(image.id())) {
      Image owner = ownerOf(volumeId);
      if (owner != null && only != null) {
        return null;
      }
      only = owner == null ? only : owner;
    }
    return only;
  }

  /** Null for volumes that are not, or not any more, their image's own. */
  @Nullable Image ownerOf(String volumeId) {
    Volume volume = state.volumes().get(volumeId);
    Image image = volume == null ? null : state.images().get(volume.imageId());
    return image != null && image.volumeId().equals(volumeId) ? image : null;
  }

  /**
   * Whether anything but its opens keeps the image, so that it is worth any work. A base of another
   * repository is read there as it was when it was pinned.
   */
  boolean lasts(Image image) {
    return image.visible()
        || state.pinsOf(image.id()).stream()
            .anyMatch(pin -> Objects.requireNonNull(state.pins().get(pin)).isForCopy())
        || state.overlaysOf(image.id()).stream().anyMatch(volume -> ownerOf(volume) != null);
  }

  /** The images whose data is to go into this one, the nearest first. */
  List<Image> below(Image image) {
    List<Image> below = new ArrayList<>();
    Image next = parentOf(image);
    while (next != null && mergeable(next)) {
      below.add(next);
      next = parentOf(next);
    }
    return below;
  }

  @Nullable Image parentOf(Image image) {
    String parent = state.volumeOf(image).parentImageId();
    return parent == null ? null : state.images().get(parent);
  }

  /** The image that this one's data is to go into; null when it stays. */
  @Nullable Image targetOf(Image image) {
    if (!mergeable(image)) {
      return null;
    }
    Image target = above(image);
    while (target != null && mergeable(target)) {
      target = above(target);
    }
    return target;
  }
}
