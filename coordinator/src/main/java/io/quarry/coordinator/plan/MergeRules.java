package io.quarry.coordinator.plan;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Finds the hidden images that only the one image above keeps. A merge moves their data into that
 * image, and a clean removes them and their volumes. Several in a row go at once.
 */
final class MergeRules {
  private final RepositoryState state;

  MergeRules(RepositoryState state) {
    this.state = state;
  }

  /** Whether only one whole overlay keeps the image. */
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
   * Whether merging would move a whole disk to remove one layer. That is so for an independent disk
   * that a copy or a resize froze, while a merge cannot write down into its volume.
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

  /** The image of a volume; null for a volume that is not, or no longer, its image's own. */
  @Nullable Image ownerOf(String volumeId) {
    Volume volume = state.volumes().get(volumeId);
    Image image = volume == null ? null : state.images().get(volume.imageId());
    return image != null && image.volumeId().equals(volumeId) ? image : null;
  }

  /**
   * Whether anything but opens keeps the image, so that work on it pays. An overlay of another
   * repository reads its base as the base was when it was pinned.
   */
  boolean lasts(Image image) {
    return image.visible()
        || state.pinsOf(image.id()).stream()
            .anyMatch(pin -> Objects.requireNonNull(state.pins().get(pin)).isForCopy())
        || state.overlaysOf(image.id()).stream().anyMatch(volume -> ownerOf(volume) != null);
  }

  /** The images to be merged into this one, the nearest first. */
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

  /** The image that this one is to be merged into; null when it stays. */
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
