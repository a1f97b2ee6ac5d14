package io.quarry.coordinator.plan;

import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One of two ways to merge hidden images into the image above. The worker writes the layers above
 * the lowest hidden image down into that image's volume. The volume then becomes the upper image's
 * own.
 *
 * <p>The worker may run below a running VM and may stop at any moment. The worker writes only data
 * of the layers above, so a late write changes no byte that a reader of the top sees. The merged
 * images lose their content, so no image and no open may refer to them by then.
 *
 * @param below the images to be merged, the nearest first
 * @param base the volume that takes all the data
 */
record InPlace(Image image, List<Image> below, Volume base) {

  /** Null when the merge has to write a new volume. */
  static @Nullable InPlace of(RepositoryState state, Volume better, Instant now) {
    Image image = state.images().get(better.imageId());
    if (image == null || better.replaces() == null) {
      return null;
    }
    List<Image> below = new MergeRules(state).below(image);
    for (int count = below.size(); count > 0; count--) {
      Volume base = state.volumeOf(below.get(count - 1));
      if (wasBegunBy(better, base)) {
        return new InPlace(image, below.subList(0, count), base);
      }
    }
    if (below.isEmpty() || below.stream().anyMatch(hidden -> isRetained(hidden, now))) {
      return null;
    }
    Volume base = state.volumeOf(below.getLast());
    boolean apt = better.parentImageId() != null || base.parentImageId() == null;
    return apt && !state.isUsed(base.id()) ? new InPlace(image, below, base) : null;
  }

  private static boolean wasBegunBy(Volume better, Volume base) {
    return base.writer() != null && base.writer().fixId().equals(FixState.makerId(better));
  }

  private static boolean isRetained(Image hidden, Instant now) {
    return hidden.retainedUntil() != null && hidden.retainedUntil().isAfter(now);
  }
}
