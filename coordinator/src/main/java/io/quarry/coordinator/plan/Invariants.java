package io.quarry.coordinator.plan;

import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The invariants that each record of a log keeps. Only the changes of a record are checked, since
 * the rest of the state was sound before.
 */
public final class Invariants {
  private final RepositoryState before;
  private final RepositoryState state;
  private final Set<String> imageIds = new HashSet<>();
  private final Set<String> volumeIds = new HashSet<>();
  private final Map<String, Long> epochs = new HashMap<>();

  private Invariants(RepositoryState before, RepositoryState state) {
    this.before = before;
    this.state = state;
  }

  /**
   * For assertions.
   *
   * @return true; a broken invariant is an AssertionError
   */
  public static boolean hold(RepositoryState before, List<Change> changes, RepositoryState after) {
    Invariants invariants = new Invariants(before, after);
    changes.forEach(invariants::note);
    invariants.noteNeighbours();
    for (String id : invariants.imageIds) {
      Image image = after.images().get(id);
      if (image != null) {
        invariants.checkVolume(image);
        invariants.checkChain(image);
      }
    }
    invariants.volumeIds.forEach(invariants::checkReplacement);
    return true;
  }

  private void note(Change change) {
    switch (change) {
      case Change.PutImage put -> imageIds.add(put.image().id());
      case Change.DropImage drop -> imageIds.add(drop.id());
      case Change.PutVolume put -> volumeIds.add(put.volume().id());
      case Change.DropVolume drop -> volumeIds.add(drop.id());
      case Change.PutFix put -> checkEpoch(put.fix());
      // A fix that is dropped and put again begins with a new epoch.
      case Change.DropFix drop -> epochs.put(drop.id(), 0L);
      case Change.DropAllocation drop -> checkUseless(drop.file());
      case Change.PutPin _,
          Change.DropPin _,
          Change.PutOpen _,
          Change.DropOpen _,
          Change.PutFeature _,
          Change.PutExtension _,
          Change.PutPool _,
          Change.PutAllocation _,
          Change.PutMapping _,
          Change.DropMapping _,
          Change.PutEpoch _,
          Change.DropEpochs _ -> {}
    }
  }

  /** An image, its volume, and what is to replace that belong together. */
  private void noteNeighbours() {
    for (String id : List.copyOf(volumeIds)) {
      noteOwner(before.volumes().get(id));
      noteOwner(state.volumes().get(id));
    }
    for (String id : imageIds) {
      noteVolume(before.images().get(id));
      noteVolume(state.images().get(id));
    }
  }

  private void noteOwner(@Nullable Volume volume) {
    if (volume != null) {
      imageIds.add(volume.imageId());
      if (volume.replaces() != null) {
        volumeIds.add(volume.replaces().volumeId());
      }
    }
  }

  private void noteVolume(@Nullable Image image) {
    if (image != null) {
      volumeIds.add(image.volumeId());
    }
  }

  /** Two workers of one epoch would write to one file. */
  private void checkEpoch(FixState fix) {
    FixState known = before.fixes().get(fix.id());
    long least = epochs.getOrDefault(fix.id(), known == null ? 0 : known.epoch());
    require(fix.epoch() >= least, () -> "the epoch of " + fix + " goes down from " + least);
    epochs.put(fix.id(), fix.epoch());
  }

  /**
   * Extents have one file, and no mapping when they lose it: {@link Extents} makes sure of that.
   */
  private void checkUseless(String file) {
    VolumeName name = VolumeName.parse(file);
    Volume volume = name == null ? null : state.volumes().get(name.volumeId());
    require(
        volume == null || volume.stage() == Volume.Stage.TOMBSTONED || !file.equals(volume.file()),
        () -> volume + " has lost its extents");
  }

  private void checkVolume(Image image) {
    Volume volume = state.volumes().get(image.volumeId());
    require(
        volume != null
            && volume.imageId().equals(image.id())
            && volume.stage() != Volume.Stage.TOMBSTONED,
        () -> image + " has no volume, but " + volume);
  }

  private void checkChain(Image image) {
    Set<String> above = new HashSet<>();
    @Nullable Image next = image;
    while (next != null) {
      String id = next.id();
      require(above.add(id), () -> "the chain of " + image + " comes back to " + id);
      Volume volume = state.volumes().get(next.volumeId());
      String parent = volume == null ? null : volume.parentImageId();
      next = parent == null ? null : state.images().get(parent);
    }
  }

  /** What is being made is the volume of its image, or the only one that is to replace it. */
  private void checkReplacement(String volumeId) {
    Volume volume = state.volumes().get(volumeId);
    if (volume != null && volume.stage() == Volume.Stage.INTENDED && volume.replaces() == null) {
      checkOwner(volume, volumeId);
    }
    var replacements = state.replacementsOf(volumeId);
    require(
        replacements.size() <= 1,
        () -> "volume " + volumeId + " has the replacements " + replacements);
    for (String id : replacements) {
      checkOwner(state.volumes().get(id), volumeId);
    }
  }

  private void checkOwner(@Nullable Volume made, String current) {
    Image image = made == null ? null : state.images().get(made.imageId());
    require(
        image != null && image.volumeId().equals(current),
        () -> made + " is made for " + image + ", which has another volume");
  }

  private static void require(boolean holds, Supplier<String> what) {
    if (!holds) {
      throw new AssertionError(what.get());
    }
  }
}
