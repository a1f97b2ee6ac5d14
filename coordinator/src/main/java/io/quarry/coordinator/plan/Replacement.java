package io.quarry.coordinator.plan;

import io.quarry.common.model.FixType;
import io.quarry.common.model.VolumeFormat;
import io.quarry.coordinator.plan.Volume.Replaced;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A better volume that an image could have: one of its own for a disk that is to be fast or whose
 * base will not come into this repository, or one that holds the data of the hidden images below as
 * well.
 *
 * <p>It has the content that the image had when it was begun, so there is none while somebody may
 * write.
 *
 * @param parentImageId what it is an overlay of
 * @param passed what it may be an overlay of as well: images that were to stay when it was begun
 * @param wanted whether anybody is to make it
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

  /** What that fix makes, as long as it is wanted: nothing that it rests on has changed. */
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

  /** What the image should get; null when it is fine, or has to wait. */
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
      // It moves less than a copy, and may make a long chain short enough.
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
   * Whether that volume is as good. While a chain is being taken down from the top, a merge that
   * was begun goes on: it makes the chain shorter, and the next one the rest.
   */
  boolean isServedBy(Volume begun, boolean begunIsWanted) {
    boolean goesOn =
        begunIsWanted
            && passed.stream().anyMatch(image -> image.id().equals(begun.parentImageId()));
    return begun.size() == image.size()
        && by == Objects.requireNonNull(begun.replaces()).by()
        && (Objects.equals(parentImageId, begun.parentImageId()) || goesOn);
  }

  /** Full content is raw, differences are qcow2. */
  Volume volume(String id) {
    return new Volume(
        id,
        image.id(),
        parentImageId == null ? VolumeFormat.RAW : VolumeFormat.QCOW2,
        image.size(),
        parentImageId,
        Volume.Stage.INTENDED,
        null,
        null,
        new Replaced(current.id(), by));
  }
}
