package io.quarry.agent.service;

import io.quarry.agent.repository.ConnectedRepository;
import io.quarry.common.api.StorageException;
import io.quarry.coordinator.plan.Feature;
import io.quarry.coordinator.plan.Image;
import io.quarry.coordinator.plan.Open;
import io.quarry.coordinator.plan.RepositoryState;
import io.quarry.coordinator.plan.Volume;
import java.io.IOException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What a machine has made of its disk: {@code virsh blockresize} makes the file larger. */
final class DiskSize {
  private static final Logger LOG = LoggerFactory.getLogger(DiskSize.class);

  private DiskSize() {}

  /** What a disk is to have once that open ends; null when that is what the log says. */
  static @Nullable Long grown(ConnectedRepository repository, StorageIo io, @Nullable Open open) {
    RepositoryState state = repository.state().repository();
    Image disk = open == null ? null : state.strongImage(open.imageId());
    if (disk == null
        || open == null
        || open.readOnly()
        || open.fills() != null
        || !state.schema().has(Feature.WITNESSES)) {
      return null;
    }
    try {
      return io.call(repository, () -> grown(repository, disk, state.volumeOf(disk)));
    } catch (StorageException e) {
      LOG.warn("The size of {} is looked at later: {}", disk.id(), e.getMessage());
      return null;
    }
  }

  /** To be called where the storage may be waited for. */
  static @Nullable Long grown(ConnectedRepository repository, Image disk, Volume top)
      throws IOException {
    if (top.stage() != Volume.Stage.READY || top.file() == null) {
      return null;
    }
    long size = repository.storage().volumes().layer(top.file(), top.format()).virtualSize();
    return size > disk.size() ? Long.valueOf(size) : null;
  }
}
