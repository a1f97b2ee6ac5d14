package io.quarry.agent.service;

import io.quarry.agent.data.os.FileFailure;
import io.quarry.agent.fix.DiskSize;
import io.quarry.agent.repository.ConnectedRepository;
import io.quarry.common.api.StorageException;
import io.quarry.common.model.ImageKind;
import io.quarry.coordinator.plan.AdoptGrowth;
import io.quarry.coordinator.plan.Image;
import io.quarry.coordinator.plan.Open;
import io.quarry.coordinator.plan.Reply;
import io.quarry.coordinator.plan.RepositoryState;
import java.util.Collection;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Adopts the growth of disks that VMs use. The end of a VM's open records the growth in the log.
 * The storage may not have answered then. So each call that derives an image from a disk looks once
 * more.
 */
final class DiskGrowth {
  private static final Logger LOG = LoggerFactory.getLogger(DiskGrowth.class);

  private final StorageIo io;

  DiskGrowth(StorageIo io) {
    this.io = io;
  }

  /**
   * The size that a disk is to have once that open ends; null when the log has that size already.
   */
  @Nullable Long of(ConnectedRepository repository, @Nullable Open open) {
    RepositoryState state = repository.state().repository();
    Image disk = open == null ? null : state.visibleImage(open.imageId());
    if (open == null || disk == null || open.readOnly() || open.fills() != null) {
      return null;
    }
    try {
      return io.call(repository, () -> DiskSize.grown(state, repository.storage(), disk));
    } catch (StorageException e) {
      LOG.warn("The size of {} is looked at later: {}", disk.id(), e.getMessage());
      return null;
    }
  }

  /**
   * Adopts growth before the opens of dead VMs end. When the size cannot be read, the open ends all
   * the same.
   */
  void adopt(ConnectedRepository repository, Collection<Open> opens) {
    Map<String, Long> grown = new TreeMap<>();
    for (Open open : opens) {
      Long size = of(repository, open);
      if (size != null) {
        // A disk keeps its volume as long as a VM may write.
        grown.put(open.volumes().getFirst(), size);
      }
    }
    try {
      commit(repository, grown);
    } catch (StorageException e) {
      LOG.warn("The growth of {} is told later: {}", grown.keySet(), e.getMessage());
    }
  }

  /** Adopts growth before a call uses the size that the log knows. */
  void adopt(ConnectedRepository repository, String imageId) {
    RepositoryState state = repository.state().repository();
    Image disk = state.visibleImage(imageId);
    if (disk == null || disk.kind() != ImageKind.VIRTUAL_DISK) {
      return;
    }
    Long size =
        io.call(
            repository,
            () -> {
              try {
                return DiskSize.grown(state, repository.storage(), disk);
              } catch (FileFailure e) {
                // The step that needs the file reports that it is missing.
                if (e.isNoFile()) {
                  return null;
                }
                throw e;
              }
            });
    if (size != null) {
      commit(repository, Map.of(disk.volumeId(), size));
    }
  }

  /**
   * @param grown sizes by volume, in bytes
   */
  static void commit(ConnectedRepository repository, Map<String, Long> grown) {
    if (!grown.isEmpty()) {
      Reply reply = repository.commit(UUID.randomUUID().toString(), new AdoptGrowth(grown));
      // Later steps on this host see the new size.
      var _ = repository.atLeast(reply.commit());
    }
  }
}
