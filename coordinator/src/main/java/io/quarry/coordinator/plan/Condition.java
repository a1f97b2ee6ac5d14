package io.quarry.coordinator.plan;

import org.jspecify.annotations.Nullable;

/** What keeps an image from being optimized. The words for callers are made here alone. */
public sealed interface Condition {
  /** An image that a host writes gets its new volume after the close. */
  String UNTIL_CLOSED = "that has to wait until it is closed";

  record NotMade() implements Condition {}

  record NotCopied() implements Condition {}

  record BaseNotWhole(String baseId) implements Condition {}

  record BaseMissing(String baseId) implements Condition {}

  record LongChain(int layers) implements Condition {}

  record Overlay(String parentId) implements Condition {}

  record ReadElsewhere(String baseId) implements Condition {}

  /** Null when the image is optimized. */
  static @Nullable Condition of(RepositoryState state, Image image) {
    Volume volume = state.volumeOf(image);
    if (volume.stage() != Volume.Stage.READY) {
      return volume.source() == null ? new NotMade() : new NotCopied();
    }
    String base = state.missingBaseOf(image);
    if (base != null) {
      return state.images().containsKey(base) ? new BaseNotWhole(base) : new BaseMissing(base);
    }
    if (ChainLength.isTooLong(state, image)) {
      return new LongChain(ChainLength.of(state, image));
    }
    String parent = volume.parentImageId();
    if (parent != null && RepositoryState.isToBeFast(image, volume)) {
      return new Overlay(parent);
    }
    Volume.CopySource elsewhere = state.layersOf(image).elsewhere();
    return elsewhere == null ? null : new ReadElsewhere(elsewhere.imageId());
  }

  /** The condition, and why no host works on the image; null when the image is optimized. */
  static @Nullable String reason(RepositoryState state, Image image) {
    Condition condition = of(state, image);
    if (condition == null) {
      return null;
    }
    FixState fix = state.fixOf(image);
    if (fix == null) {
      return state.writerOf(image.id()) == null
          ? condition.text()
          : condition.text() + "; " + UNTIL_CLOSED;
    }
    Hold hold = Hold.of(fix);
    return hold == null
        ? condition.text()
        : condition.text() + "; the " + fix.type().label() + " " + hold.text();
  }

  default String text() {
    return switch (this) {
      case NotMade() -> "its volume has not been made yet";
      case NotCopied() -> "its data has not been copied yet";
      case BaseNotWhole(String baseId) -> "its base " + baseId + " is not whole yet";
      case BaseMissing(String baseId) -> "its base " + baseId + " is missing";
      case LongChain(int layers) ->
          "it is read through " + layers + " layers and is to be independent";
      case Overlay(String parentId) ->
          "it is an overlay of " + parentId + " and is to be independent";
      case ReadElsewhere(String baseId) ->
          "its base " + baseId + " is still read in another repository";
    };
  }
}
