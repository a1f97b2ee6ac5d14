package io.quarry.coordinator.plan;

import org.jspecify.annotations.Nullable;
import org.pcollections.HashTreePMap;
import org.pcollections.PMap;
import org.pcollections.PSet;

/** All volumes, with indexes of their dependants. Immutable. */
final class Volumes {
  static final Volumes NONE = new Volumes(HashTreePMap.empty(), Index.EMPTY, Index.EMPTY);

  private final PMap<String, Volume> all;
  private final Index overlays;
  private final Index replacements;

  private Volumes(PMap<String, Volume> all, Index overlays, Index replacements) {
    this.all = all;
    this.overlays = overlays;
    this.replacements = replacements;
  }

  PMap<String, Volume> all() {
    return all;
  }

  PSet<String> overlaysOf(String imageId) {
    return overlays.of(imageId);
  }

  PSet<String> replacementsOf(String volumeId) {
    return replacements.of(volumeId);
  }

  Volumes plus(Volume volume) {
    Volumes without = minus(volume.id());
    return new Volumes(
        all.plus(volume.id(), volume),
        without.overlays.plus(volume.parentImageId(), volume.id()),
        without.replacements.plus(replaced(volume), volume.id()));
  }

  Volumes minus(String id) {
    Volume old = all.get(id);
    return old == null
        ? this
        : new Volumes(
            all.minus(id),
            overlays.minus(old.parentImageId(), id),
            replacements.minus(replaced(old), id));
  }

  /** The volume that an unmade volume will replace. */
  private static @Nullable String replaced(Volume volume) {
    return volume.stage() == Volume.Stage.INTENDED && volume.replaces() != null
        ? volume.replaces().volumeId()
        : null;
  }
}
