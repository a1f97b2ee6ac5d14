package io.quarry.agent.fix;

import io.quarry.agent.storage.RepositoryStorage;
import io.quarry.common.model.ImageKind;
import io.quarry.common.model.Limits;
import io.quarry.coordinator.plan.Image;
import io.quarry.coordinator.plan.RepositoryState;
import io.quarry.coordinator.plan.Volume;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * The size that a hypervisor gave a disk outside of Quarry: {@code virsh blockresize} makes the
 * file larger.
 */
public final class DiskSize {
  private DiskSize() {}

  /**
   * The size of the disk in its file, in bytes of whole sectors. Null when the log has that size
   * already, or when the log cannot record a growth.
   */
  public static @Nullable Long grown(RepositoryState state, RepositoryStorage storage, Image disk)
      throws IOException {
    Volume top = state.volumeOf(disk);
    if (disk.kind() != ImageKind.VIRTUAL_DISK
        || !disk.visible()
        || top.stage() != Volume.Stage.READY
        || top.file() == null
        || !state.freezesFiles()) {
      return null;
    }
    long size = storage.volumes().layer(top.file(), top.format()).virtualSize();
    long whole = Math.min(size - size % Limits.SECTOR_BYTES, Limits.IMAGE_BYTES_MAX);
    return whole > disk.size() ? Long.valueOf(whole) : null;
  }
}
