package io.quarry.agent.check;

import io.quarry.agent.data.os.FileFailure;
import io.quarry.agent.repository.ConnectedRepository;
import io.quarry.agent.storage.RepositoryStorage;
import io.quarry.common.api.Problem;
import io.quarry.common.model.ImageKind;
import io.quarry.common.model.VolumeFormat;
import io.quarry.coordinator.plan.Image;
import io.quarry.coordinator.plan.RepositoryState;
import io.quarry.coordinator.plan.Volume;
import java.io.IOException;
import java.util.List;

/** Finds disks without a writer whose files have another size than the log says. */
final class DiskSizes {
  private final ConnectedRepository repository;

  DiskSizes(ConnectedRepository repository) {
    this.repository = repository;
  }

  void find(RepositoryState state, List<Problem> found) throws IOException {
    for (Image image : state.images().values()) {
      long size = sizeInFile(state, image);
      // Since the state was read, the disk may have been closed and its growth adopted.
      if (size != image.size() && stillDiffers(image, size)) {
        found.add(problem(image, state.volumeOf(image), size));
      }
    }
  }

  private boolean stillDiffers(Image before, long size) throws IOException {
    RepositoryState newer = repository.replica().refresh().repository();
    Image image = newer.images().get(before.id());
    return image != null && image.size() != size && sizeInFile(newer, image) == size;
  }

  /** The size in the log, unless the file has another valid size. */
  private long sizeInFile(RepositoryState state, Image image) throws IOException {
    Volume top = state.volumeOf(image);
    if (!image.visible()
        || image.kind() != ImageKind.VIRTUAL_DISK
        || top.stage() != Volume.Stage.READY
        || top.file() == null
        || state.writerOf(image.id()) != null) {
      return image.size();
    }
    RepositoryStorage storage = repository.storage();
    try {
      if (storage.traits().devices()) {
        return image.size();
      }
      long size = storage.volumes().layer(top.file(), top.format()).virtualSize();
      // A raw file that is too short is reported as a missing volume.
      return top.format() == VolumeFormat.RAW ? Math.max(size, image.size()) : size;
    } catch (FileFailure e) {
      if (e.isNoFile() || e instanceof FileFailure.Forbidden) {
        return image.size();
      }
      throw e;
    }
  }

  private static Problem problem(Image image, Volume top, long size) {
    return new Problem(
        Problem.Kind.SIZE_DIFFERS,
        image.id(),
        String.valueOf(top.file()),
        "the file holds a disk of " + size + " bytes, and the log says " + image.size(),
        size > image.size()
            ? "wait a minute: the host that leads the repository adopts a growth in whole sectors"
            : "find out what made the file smaller; bring the file back from a backup");
  }
}
