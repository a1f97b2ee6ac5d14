package io.quarry.agent.storage.clvm;

import io.quarry.agent.data.os.FileFailure;
import io.quarry.agent.data.os.NativeFile;
import io.quarry.agent.data.qemu.EmptyQcow2;
import io.quarry.agent.data.qemu.Qcow2Usage;
import io.quarry.agent.storage.VolumeLog;
import io.quarry.agent.storage.block.MappedDevices;
import io.quarry.common.api.StorageException;
import io.quarry.coordinator.plan.Allocation;
import io.quarry.coordinator.plan.RepositoryState;
import io.quarry.coordinator.plan.Volume;
import io.quarry.coordinator.plan.VolumeName;
import io.quarry.coordinator.thread.Deadline;
import java.io.IOException;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Gives qcow2 files more extents while programs of this host write to them. A file grows by a chunk
 * as soon as the second half of its newest chunk is written to. A program that is faster sees a
 * full device: QEMU then pauses the guest, and the same write succeeds after the growth.
 */
final class Growth {
  private static final Logger LOG = LoggerFactory.getLogger(Growth.class);
  private static final Duration PAUSE = Duration.ofSeconds(3);

  private final VolumeLog log;
  private final String hostId;
  private final Attachments attachments;
  private final MappedDevices devices;
  private final long chunkBytes;

  /** Files that could not grow, such as in a full repository. */
  private final Map<String, Deadline> pauses = new HashMap<>();

  Growth(
      VolumeLog log,
      String hostId,
      Attachments attachments,
      MappedDevices devices,
      long chunkBytes) {
    this.log = log;
    this.hostId = hostId;
    this.attachments = attachments;
    this.devices = devices;
    this.chunkBytes = chunkBytes;
  }

  /** Looks at all files that programs of this host may write to; call several times a second. */
  void look() {
    RepositoryState state = log.state().repository();
    Set<String> mapped = state.extents().mappingsBy(hostId).keySet();
    pauses.keySet().retainAll(mapped);
    for (String file : mapped) {
      Deadline pause = pauses.get(file);
      if (pause != null && !pause.passed()) {
        continue;
      }
      try {
        growIfWritten(state, file);
        pauses.remove(file);
      } catch (IOException | StorageException e) {
        LOG.warn("{} grows later: {}", file, e.getMessage());
        pauses.put(file, Deadline.after(PAUSE));
      }
    }
  }

  private void growIfWritten(RepositoryState state, String file) throws IOException {
    VolumeName name = VolumeName.parse(file);
    if (name == null || name.kind() != VolumeName.Kind.QCOW2) {
      return;
    }
    Volume volume = state.volumes().get(name.volumeId());
    Allocation allocation = state.extents().allocation(file);
    if (volume == null
        || allocation == null
        || !attachments.mayWrite(state, file)
        || !devices.isOpen(file)) {
      return;
    }
    long bytes = allocation.extents() * ClvmStorage.EXTENT_BYTES;
    if (devices.length(file) < bytes) {
      // The answer to an earlier growth was lost.
      attachments.reach(file);
    }
    if (isWritten(file, bytes)) {
      grow(file, bytes, EmptyQcow2.bytesMax(volume.size()));
    }
  }

  /** Whether the newest half chunk has data. */
  private boolean isWritten(String file, long bytes) throws IOException {
    long offset = Math.max(0, bytes - chunkBytes / 2);
    if (devices.isWatchedBehind(file, offset)) {
      return devices.isWrittenBehind(file, offset);
    }
    boolean used;
    try (NativeFile open = NativeFile.openRead(devices.path(file))) {
      used = Qcow2Usage.usesBehind(open, offset);
    }
    // A watch says that the counts were read.
    devices.watchBehind(file, offset);
    return used;
  }

  /**
   * More than the image takes is needed when clusters have leaked, or when the guest's disk grew.
   */
  private void grow(String file, long bytes, long most) throws IOException {
    long step = Math.max(ClvmStorage.EXTENT_BYTES, Math.min(chunkBytes, most - bytes));
    try {
      attachments.reserve(file, bytes + step);
    } catch (FileFailure e) {
      if (e.kind() != FileFailure.Kind.NO_SPACE || step == ClvmStorage.EXTENT_BYTES) {
        throw e;
      }
      step = ClvmStorage.EXTENT_BYTES;
      attachments.reserve(file, bytes + step);
    }
    LOG.info("{} has {} more bytes", file, step);
    // From now on, so that no write is missed until the next look.
    devices.watchBehind(file, Math.max(0, bytes + step - chunkBytes / 2));
  }
}
