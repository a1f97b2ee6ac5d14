package io.quarry.coordinator.plan;

import io.quarry.common.model.FixType;
import io.quarry.coordinator.plan.Volume.Origin;
import io.quarry.coordinator.plan.Volume.Replaced;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A better volume that an image could have. Either it is the image's own, for a fast disk, or for a
 * base that will not come into this repository. Or it also holds the data of the hidden images
 * below.
 *
 * <p>The new volume has the content that the image had when the work began. So no replacement
 * begins while a user may write.
 *
 * @param parentImageId the image below the new volume, as an overlay
 * @param passed images that may be below it instead: they were to stay when the work began
 * @param wanted whether the fix that makes the volume is requested
 * @param notBefore until when the images below are retained, or null
 */
record Replacement(
    Image image,
    Volume current,
    FixType by,
    @Nullable String parentImageId,
    List<Image> passed,
    boolean wanted,
    @Nullable Instant notBefore) {

  /**
   * The volume that the fix makes, if the fix is still needed: nothing that it rests on has
   * changed.
   */
  static Volume begun(RepositoryState state, String fixId, String volumeId) {
    Volume better = state.volumes().get(volumeId);
    if (!state.fixes().containsKey(fixId)
        || better == null
        || better.stage() != Volume.Stage.INTENDED
        || better.replaces() == null
        || !FixState.makerId(better).equals(fixId)) {
      throw PlanErrors.stale(fixId, "it is done, or its image was changed, opened or removed");
    }
    return better;
  }

  /**
   * The replacement that the image should get; null when its volume is fine, or the fix has to
   * wait.
   */
  static @Nullable Replacement of(Image image, RepositoryState state, Instant now) {
    Volume current = state.volumeOf(image);
    if (!state.isWhole(image) || state.writerOf(image.id()) != null) {
      return null;
    }
    if (RepositoryState.isToBeFast(image, current) || state.takesIn(image)) {
      return independent(image, current);
    }
    MergeRules rules = new MergeRules(state);
    if (!rules.lasts(image) || rules.mergeable(image)) {
      return null;
    }
    List<Image> below = rules.below(image);
    if (!below.isEmpty()) {
      // A merge moves less than a copy, and may make a long chain short enough.
      return merge(image, current, below, rules.parentOf(below.getLast()), now);
    }
    return ChainLength.isTooLong(state, image) ? independent(image, current) : null;
  }

  private static Replacement independent(Image image, Volume current) {
    return new Replacement(
        image, current, FixType.OPTIMIZE, null, List.of(), image.autoFix(), null);
  }

  private static Replacement merge(
      Image image, Volume current, List<Image> below, @Nullable Image stays, Instant now) {
    return new Replacement(
        image,
        current,
        FixType.MERGE,
        stays == null ? null : stays.id(),
        below,
        below.stream().anyMatch(Image::autoFix),
        below.stream()
            .map(Image::retainedUntil)
            .filter(until -> until != null && until.isAfter(now))
            .max(Instant::compareTo)
            .orElse(null));
  }

  /**
   * Whether the begun volume serves as well as this one. While merges shorten a chain from the top,
   * a begun merge goes on, and the next merge shortens the rest.
   */
  boolean isServedBy(Volume begun, boolean begunIsWanted) {
    boolean goesOn =
        begunIsWanted
            && passed.stream().anyMatch(image -> image.id().equals(begun.parentImageId()));
    return begun.size() == image.size()
        && by == Objects.requireNonNull(begun.replaces()).by()
        && (Objects.equals(parentImageId, begun.parentImageId()) || goesOn);
  }

  /** The new volume: full content is raw, a difference is qcow2. */
  Volume volume(String id, Layout layout) {
    Origin origin = Origin.replacing(new Replaced(current.id(), by));
    return new Volume(id, image.id(), layout.over(image.size(), parentImageId), origin);
  }
}
