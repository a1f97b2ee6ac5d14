package io.quarry.coordinator.plan;

import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The other way to merge hidden images into the one above them: what lies above the lowest of them
 * is written down into that one's volume, which then becomes the image's own.
 *
 * <p>It may go on below a running VM and be left off at any moment. Only what the layers above hold
 * is written, so whatever is read through them does not change, however late a write lands. But the
 * merged images themselves show nothing any more, so nobody may refer to them by then.
 *
 * @param below the images to be merged, the nearest first
 * @param base the volume that takes it all
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
