package io.quarry.coordinator.plan;

import io.quarry.common.model.FixType;
import io.quarry.coordinator.plan.Volume.CopySource;

/** The work of a fix, as the state describes it. */
public sealed interface Work {
  /** Makes a volume that needs no data: an empty disk or an overlay. */
  record MakeEmpty(Volume volume) implements Work {}

  /** Copies all of an image into a volume that reads through to no other image. */
  record Copy(Volume volume, CopySource from) implements Work {}

  /** Copies the difference between an image and its base into an overlay. */
  record CopyDifference(Volume volume, CopySource from) implements Work {}

  /** Gives an image an independent volume. */
  record Replace(Volume volume, Image image) implements Work {}

  /** Gives an image a volume that also holds the data of hidden images below. */
  record Merge(Volume volume, Image image) implements Work {}

  /** Removes a volume that nothing needs. */
  record RemoveVolume(String volumeId) implements Work {}

  /** Removes a file that no volume names, or the claims and checkpoints of a fix that is over. */
  record RemoveOrphan(String file) implements Work {}

  /** Nothing is left to do: the volume is whole or given up. */
  record Nothing() implements Work {}

  static Work of(FixState fix, RepositoryState state) {
    if (fix.file() != null) {
      return new RemoveOrphan(fix.file());
    }
    String volumeId = String.valueOf(fix.volumeId());
    if (fix.type() == FixType.CLEAN) {
      return new RemoveVolume(volumeId);
    }
    Volume volume = state.volumes().get(volumeId);
    Image image = volume == null ? null : state.images().get(volume.imageId());
    if (volume == null || image == null || volume.stage() != Volume.Stage.INTENDED) {
      return new Nothing();
    }
    if (volume.replaces() != null) {
      return volume.replaces().by() == FixType.MERGE
          ? new Merge(volume, image)
          : new Replace(volume, image);
    }
    CopySource from = volume.source();
    if (from == null) {
      return new MakeEmpty(volume);
    }
    return volume.parentImageId() == null
        ? new Copy(volume, from)
        : new CopyDifference(volume, from);
  }
}
