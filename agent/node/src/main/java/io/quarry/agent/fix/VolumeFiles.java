package io.quarry.agent.fix;

import io.quarry.agent.data.os.NativeFile;
import io.quarry.agent.data.qemu.Backing;
import io.quarry.agent.data.qemu.EmptyQcow2;
import io.quarry.agent.storage.RepositoryStorage;
import io.quarry.common.model.VolumeFormat;
import io.quarry.coordinator.plan.Image;
import io.quarry.coordinator.plan.RepositoryState;
import io.quarry.coordinator.plan.Volume;
import io.quarry.coordinator.plan.VolumeName;
import java.io.IOException;
import java.util.Optional;

/** Makes and removes the files of volumes. */
final class VolumeFiles {
  private final RepositoryStorage storage;

  VolumeFiles(RepositoryStorage storage) {
    this.storage = storage;
  }

  /**
   * Makes the file of a volume that needs no data: an empty disk or an overlay; durable. A file
   * that could not be made whole is removed, so that the next try of the same epoch finds the name
   * free. When the name exists already, an earlier try may have published that file, so the file
   * stays.
   */
  void makeEmpty(Volume volume, String file, RepositoryState state) throws IOException {
    Optional<Backing> backing =
        volume.format() == VolumeFormat.RAW ? Optional.empty() : backingOf(volume, state);
    try (NativeFile made = storage.volumes().create(file, bytes(volume))) {
      try {
        fill(made, volume, backing);
      } catch (IOException e) {
        removeHalfMade(file, e);
        throw e;
      }
    }
    storage.volumes().force();
  }

  private static long bytes(Volume volume) {
    return switch (volume.format()) {
      case RAW -> volume.size();
      case QCOW2 -> EmptyQcow2.bytes(volume.size());
    };
  }

  private void fill(NativeFile made, Volume volume, Optional<Backing> backing) throws IOException {
    switch (volume.format()) {
      case RAW -> {
        made.truncate(volume.size());
        made.dataSync();
      }
      case QCOW2 -> EmptyQcow2.write(made, volume.size(), backing);
    }
  }

  private void removeHalfMade(String file, IOException why) {
    try {
      storage.volumes().remove(file);
    } catch (IOException e) {
      why.addSuppressed(e);
    }
  }

  private static Optional<Backing> backingOf(Volume volume, RepositoryState state)
      throws IOException {
    if (volume.parentImageId() == null) {
      return Optional.empty();
    }
    Image parent = state.images().get(volume.parentImageId());
    boolean mayComeLater = volume.source() != null || volume.baseSource() != null;
    if (mayComeLater && (parent == null || state.volumeOf(parent).file() == null)) {
      // The base may be made after its overlay. The overlay must name the base, or its content
      // would be zeros.
      return Optional.of(new Backing(volume.parentImageId(), VolumeFormat.QCOW2));
    }
    if (parent == null) {
      throw new IOException("the base image " + volume.parentImageId() + " is gone");
    }
    Volume base = state.volumeOf(parent);
    if (base.file() == null) {
      throw new IOException("the base image " + parent.id() + " is broken");
    }
    return Optional.of(new Backing(base.file(), base.format()));
  }

  /** Removes the files of the first epochs, except the published file. */
  void removeOthers(Volume volume, String published, long epochs) throws IOException {
    for (long epoch = 1; epoch <= epochs; epoch++) {
      String file = volume.fileOfEpoch(epoch);
      if (!file.equals(published)) {
        storage.volumes().remove(file);
      }
    }
  }

  /** Removes the files of the first epochs of a volume that may be forgotten already, durably. */
  void removeAllOf(String volumeId, long epochs) throws IOException {
    for (long epoch = 1; epoch <= epochs; epoch++) {
      for (VolumeFormat format : VolumeFormat.values()) {
        storage.volumes().remove(VolumeName.of(volumeId, epoch, format).text());
      }
    }
    storage.volumes().force();
  }

  /** Removes all files of a tombstoned volume, durably. */
  void removeAll(Volume volume, long epochs) throws IOException {
    if (volume.file() != null) {
      storage.volumes().remove(volume.file());
    }
    for (long epoch = 1; epoch <= epochs; epoch++) {
      storage.volumes().remove(volume.fileOfEpoch(epoch));
      if (volume.heavy()) {
        storage.volumes().remove(volume.uploadOfEpoch(epoch));
      }
    }
    storage.volumes().force();
  }
}
