package io.quarry.agent.service;

import io.quarry.agent.repository.ConnectedRepository;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.StorageException;
import io.quarry.common.model.ImageKind;
import io.quarry.coordinator.plan.Image;
import io.quarry.coordinator.plan.Open;
import io.quarry.coordinator.plan.RepositoryState;
import io.quarry.coordinator.plan.Volume;
import org.jspecify.annotations.Nullable;

/**
 * Refuses calls on a disk while a process writes to it that has not opened the disk through Quarry.
 * Such calls look before their commit, and once more after it.
 */
final class ForeignWriters {
  private final StorageIo io;
  private final DiskGrowth growth;

  ForeignWriters(StorageIo io) {
    this.io = io;
    this.growth = new DiskGrowth(io);
  }

  /**
   * Looks before the commit. The SDM refuses calls on a disk that is open for writing, and names
   * the open. A VM whose open ended unseen, or ends now, may have enlarged the disk. After this
   * look the log knows the size.
   *
   * @return the volume that was looked at, for the look after the commit; null when there was none
   */
  @Nullable Volume before(ConnectedRepository repository, String imageId) {
    growth.adopt(repository, imageId);
    return requireNone(repository, imageId);
  }

  /**
   * Looks before the commit of a request that derives nothing from the disk.
   *
   * @return as for {@link #before}
   */
  @Nullable Volume requireNone(ConnectedRepository repository, String imageId) {
    RepositoryState state = repository.state().repository();
    Image image = state.visibleImage(imageId);
    if (image == null
        || image.kind() != ImageKind.VIRTUAL_DISK
        || state.writerOf(image.id()) != null
        || state.volumeOf(image).file() == null) {
      return null;
    }
    Volume top = state.volumeOf(image);
    after(repository, image.id(), top);
    return top;
  }

  /**
   * Names the process, also the VM's own, that writes to the file of a VM's open; null when there
   * is none.
   */
  @Nullable String of(ConnectedRepository repository, Open open) {
    if (open.readOnly() || open.fills() != null || open.volumes().isEmpty()) {
      return null;
    }
    Volume top = repository.state().repository().volumes().get(open.volumes().getFirst());
    return top == null ? null : writer(repository, top);
  }

  private @Nullable String writer(ConnectedRepository repository, Volume top) {
    String file = top.file();
    return file == null
        ? null
        : io.call(repository, () -> repository.storage().volumes().writer(file).orElse(null));
  }

  void after(ConnectedRepository repository, String imageId, @Nullable Volume top) {
    String writer = top == null ? null : writer(repository, top);
    if (top != null && writer != null) {
      throw new StorageException(
          ErrorCode.IMAGE_IN_USE,
          "image " + imageId + " is in use: " + writer + " writes to its file " + top.file(),
          imageId,
          "end that process, which has not opened the image through Quarry, and call again");
    }
  }
}
