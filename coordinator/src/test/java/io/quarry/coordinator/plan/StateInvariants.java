package io.quarry.coordinator.plan;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import io.quarry.common.model.FixType;
import io.quarry.common.model.ImageKind;
import io.quarry.common.model.ImageState;
import io.quarry.common.model.Limits;
import io.quarry.common.model.Strategy;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The invariants of every state of a repository, beside {@link Invariants}. */
final class StateInvariants {
  private final RepositoryState state;

  private StateInvariants(RepositoryState state) {
    this.state = state;
  }

  static void check(RepositoryState state) {
    StateInvariants invariants = new StateInvariants(state);
    state.images().values().forEach(invariants::image);
    state.volumes().values().forEach(invariants::volume);
    state.fixes().values().forEach(invariants::fix);
    state.pins().values().forEach(pin -> assertThat(state.images()).containsKey(pin.imageId()));
    state.opens().values().forEach(invariants::open);
    invariants.turns();
    invariants.rebuilt();
  }

  private void open(Open open) {
    assertThat(state.images()).containsKey(open.imageId());
    if (open.fills() != null || open.incarnation() != null) {
      // A removal ends uploads and downloads (12.13, R15).
      assertThat(state.visibleImage(open.imageId())).as("%s", open).isNotNull();
    }
    if (open.fills() != null) {
      assertThat(state.volumes()).as("%s", open).doesNotContainKey(open.fills());
      assertThat(state.opensOf(open.imageId())).as("%s", open).hasSize(1);
    }
  }

  private boolean needed(Image image) {
    return !state.overlaysOf(image.id()).isEmpty()
        || !state.pinsOf(image.id()).isEmpty()
        || !state.opensOf(image.id()).isEmpty()
        || state.isUsed(image.volumeId());
  }

  private void image(Image image) {
    Volume volume = state.volumeOf(image);
    assertThat(volume.size()).as("%s", image).isEqualTo(image.size());
    if (image.visible()) {
      assertThat(image.retainedUntil()).as("%s", image).isNull();
    }
    boolean cleanable = !image.visible() && !needed(image);
    assertThat(state.fixes().containsKey(FixState.cleanId(volume.id())))
        .as("%s has a clean fix", image)
        .isEqualTo(cleanable);
    assertThat(state.fixes().containsKey(FixState.makerId(volume)))
        .as("%s has a maker", image)
        .isEqualTo(!cleanable && volume.stage() == Volume.Stage.INTENDED);
    ImageState found = state.stateOf(image);
    assertThat(Condition.reason(state, image) == null).isEqualTo(found == ImageState.OPTIMIZED);
    Volume replacement = state.replacementOf(volume.id());
    // In a long chain, the last change decides which image gets a volume first.
    if (ChainLength.of(state, image) <= Limits.CHAIN_LAYERS_FLATTEN) {
      assertThat(replacement != null)
          .as("%s is getting a better volume", image)
          .isEqualTo(
              state.writerOf(image.id()) == null
                  && found != ImageState.BROKEN
                  && (isSlow(image) || takesIn(image) || takesOver(image)));
    }
    if (replacement != null) {
      assertThat(state.fixes()).containsKey(FixState.makerId(replacement));
      assertThat(replacement.size()).isEqualTo(image.size());
      assertThat(state.chainOf(image))
          .as("the images below %s", replacement)
          .filteredOn(below -> !below.equals(image))
          .extracting(Image::id)
          .containsAll(Optional.ofNullable(replacement.parentImageId()).stream().toList());
    }
    Image lowest = state.chainOf(image).getLast();
    assertThat(parentOf(lowest) == null || !state.images().containsKey(parentOf(lowest))).isTrue();
    exclusive(image);
  }

  /** The images below that no other visible image needs. */
  private void exclusive(Image image) {
    List<Image> others =
        state.images().values().stream()
            .filter(other -> other.visible() && !other.id().equals(image.id()))
            .flatMap(other -> state.chainOf(other).stream())
            .toList();
    assertThat(
            Exclusive.volumes(state, image).stream().filter(this::isCurrent).map(Volume::imageId))
        .as("exclusive to %s", image)
        .containsExactlyElementsOf(
            state.chainOf(image).stream()
                .filter(needed -> !others.contains(needed))
                .map(Image::id)
                .toList());
  }

  /** Whether the volume is its image's own, and not a replacement in the making. */
  private boolean isCurrent(Volume volume) {
    Image owner = state.images().get(volume.imageId());
    return owner != null && owner.volumeId().equals(volume.id());
  }

  private boolean isSlow(Image image) {
    return image.visible()
        && image.kind() == ImageKind.VIRTUAL_DISK
        && image.strategy() == Strategy.PERFORMANCE
        && parentOf(image) != null;
  }

  /**
   * The image's data is in another repository, no copy brings it here, and no image below is to
   * have it.
   */
  private boolean takesIn(Image image) {
    BackingChain layers = state.layersOf(image);
    return layers.elsewhere() != null
        && layers.here().stream().filter(Image::visible).toList().equals(List.of(image))
        && layers.here().contains(image)
        && !comes(layers.elsewhere().imageId());
  }

  /** The image and all below it are here, whole or in the making. */
  private boolean comes(@Nullable String imageId) {
    Image image = imageId == null ? null : state.images().get(imageId);
    return imageId == null
        || (image != null
            && (state.volumeOf(image).baseSource() != null || comes(parentOf(image))));
  }

  /** The image below is hidden, and this image is the only reason to keep it. */
  private boolean takesOver(Image image) {
    return onlyReason(parentOf(image), image)
        && state.volumeOf(image).stage() == Volume.Stage.READY
        && !(overlays(image).size() == 1 && onlyReason(image.id(), overlays(image).getFirst()))
        && (image.visible() || isCopied(image) || !overlays(image).isEmpty());
  }

  private boolean isCopied(Image image) {
    return state.pins().values().stream()
        .anyMatch(pin ->
            pin.volumes().isEmpty()
                && (pin.imageId().equals(image.id()) || image.id().equals(pin.baseImageId())));
  }

  private boolean onlyReason(@Nullable String hiddenId, Image over) {
    Image hidden = hiddenId == null ? null : state.images().get(hiddenId);
    return hidden != null
        && !hidden.visible()
        && state.isWhole(hidden)
        && !state.readsElsewhere(state.volumeOf(hidden))
        && (hidden.wasVisible() || parentOf(hidden) != null || !isUsedByOthers(hidden))
        && state.pinsOf(hidden.id()).isEmpty()
        && state.opensOf(hidden.id()).isEmpty()
        && overlays(hidden).equals(List.of(over))
        && state.volumeOf(over).stage() == Volume.Stage.READY;
  }

  private boolean isUsedByOthers(Image hidden) {
    return state.isUsed(hidden.volumeId()) && state.volumeOf(hidden).writer() == null;
  }

  private List<Image> overlays(Image base) {
    return state.images().values().stream()
        .filter(image -> base.id().equals(parentOf(image)))
        .toList();
  }

  private @Nullable String parentOf(Image image) {
    return state.volumeOf(image).parentImageId();
  }

  private void volume(Volume volume) {
    if (volume.stage() == Volume.Stage.READY) {
      assertThat(volume.file()).as("%s", volume).isNotNull();
    }
    if (volume.witness() != null) {
      assertThat(volume.isFrozen(state)).as("%s is frozen", volume).isTrue();
    }
    if (volume.stage() == Volume.Stage.INTENDED) {
      assertThat(volume.file()).as("%s", volume).isNull();
    }
    if (volume.stage() == Volume.Stage.TOMBSTONED) {
      assertThat(state.fixes().get(FixState.cleanId(volume.id())))
          .as("%s", volume)
          .isNotNull()
          .matches(clean -> !clean.retained(), "waits for nothing (12.9)");
    }
    if (volume.stage() == Volume.Stage.READY && !state.isUsed(volume.id())) {
      assertThat(state.images().get(volume.imageId()))
          .as("%s", volume)
          .isNotNull()
          .matches(image -> image.volumeId().equals(volume.id()));
    }
    if (volume.parentImageId() != null && volume.source() == null && volume.baseSource() == null) {
      assertThat(state.images()).as("parent of %s", volume).containsKey(volume.parentImageId());
    }
  }

  private void fix(FixState fix) {
    if (fix.volumeId() == null) {
      assertThat(fix.id()).isEqualTo(FixState.orphanId(String.valueOf(fix.file())));
      return;
    }
    assertThat(state.volumes()).as("%s", fix).containsKey(fix.volumeId());
    assertThat(fix.id())
        .isEqualTo(
            switch (fix.type()) {
              case MEND, OPTIMIZE, MERGE ->
                  FixState.makerId(requireNonNull(state.volumes().get(fix.volumeId())));
              case CLEAN -> FixState.cleanId(fix.volumeId());
            });
    assertThat(fix.wanted() && fix.parked()).as("%s", fix).isFalse();
  }

  /** Each wanted fix is in exactly one index. */
  private void turns() {
    List<String> turns = new ArrayList<>(state.work().toQueue());
    turns.addAll(state.work().later());
    for (FixType type : FixType.values()) {
      turns.addAll(state.work().toGrant(type));
    }
    for (String holder : state.work().holders()) {
      for (String id : state.work().heldBy(holder)) {
        assertThat(state.fixes().get(id)).matches(fix -> holder.equals(holderOf(fix)));
        turns.add(id);
      }
    }
    assertThat(turns)
        .containsExactlyInAnyOrderElementsOf(
            state.fixes().values().stream().filter(FixState::runnable).map(FixState::id).toList());
  }

  private static @Nullable String holderOf(FixState fix) {
    return fix.worker() == null ? null : fix.worker().incarnation();
  }

  /** A checkpoint holds everything, and the indexes follow from it. */
  private void rebuilt() {
    RepositoryState again = RepositoryState.EMPTY;
    for (Change change : state.asChanges()) {
      again = again.apply(change);
    }
    assertThat(state.bytes()).isEqualTo(again.bytes());
    assertThat(Set.copyOf(again.asChanges())).isEqualTo(new HashSet<>(state.asChanges()));
    for (String id : state.images().keySet()) {
      assertThat(state.overlaysOf(id)).isEqualTo(again.overlaysOf(id));
      assertThat(state.pinsOf(id)).isEqualTo(again.pinsOf(id));
      assertThat(state.opensOf(id)).isEqualTo(again.opensOf(id));
    }
  }
}
