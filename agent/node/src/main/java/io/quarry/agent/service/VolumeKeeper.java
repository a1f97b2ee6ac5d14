package io.quarry.agent.service;

import io.quarry.agent.data.os.FileFailure;
import io.quarry.agent.fix.DiskSize;
import io.quarry.agent.fix.VolumeModes;
import io.quarry.agent.repository.ConnectedRepository;
import io.quarry.coordinator.plan.Image;
import io.quarry.coordinator.plan.Open;
import io.quarry.coordinator.plan.RepositoryState;
import io.quarry.coordinator.plan.Volume;
import io.quarry.coordinator.plan.WitnessVolumes;
import io.quarry.coordinator.plan.WitnessVolumes.Seen;
import io.quarry.coordinator.thread.Deadline;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Brings the modes of volume files into line with the log, after an older agent, libvirt or an
 * administrator has changed them. The SDM's host looks at all files when its term begins, and at a
 * batch in each later round. One file that cannot be changed holds up no other file. Along the way,
 * frozen files without a witness get one, and disks that grew under a VM get their new size.
 *
 * <p>Only the housekeeper's thread uses this class.
 */
final class VolumeKeeper {
  private static final Logger LOG = LoggerFactory.getLogger(VolumeKeeper.class);

  /** A new SDM looks at all files at once, beside its other work. */
  private static final Duration FIRST_ROUNDS = Duration.ofSeconds(10);

  /** The files of one look at the storage; a file that needs no change costs three system calls. */
  static final int BATCH_VOLUMES = WitnessVolumes.VOLUMES_MAX;

  private final StorageIo io;

  /** Where the next round begins, by repository key. */
  private final Map<String, String> next = new HashMap<>();

  /** Repositories that this host leads; true until the host has looked at all files once. */
  private final Map<String, Boolean> led = new HashMap<>();

  VolumeKeeper(StorageIo io) {
    this.io = io;
  }

  /** One round of a repository that this host leads. */
  void round(ConnectedRepository repository) {
    if (led.putIfAbsent(repository.key(), true) == null) {
      next.remove(repository.key());
    }
    Deadline end = Deadline.after(FIRST_ROUNDS);
    do {
      batch(repository);
      if (!next.containsKey(repository.key())) {
        led.put(repository.key(), false);
      }
    } while (led.get(repository.key()) && !end.passed());
  }

  /** This host does not lead the repository now, and looks at all files when it leads again. */
  void follow(ConnectedRepository repository) {
    led.remove(repository.key());
  }

  private void batch(ConnectedRepository repository) {
    String after = next.getOrDefault(repository.key(), "");
    List<String> batch =
        repository.state().repository().volumes().keySet().stream()
            .filter(id -> id.compareTo(after) > 0)
            .sorted()
            .limit(BATCH_VOLUMES)
            .toList();
    if (batch.isEmpty()) {
      next.remove(repository.key());
      return;
    }
    // So the next round does not meet the same failure again.
    next.put(repository.key(), batch.getLast());
    Look look = io.call(repository, () -> look(repository, batch));
    if (look.volumes() < batch.size()) {
      next.put(repository.key(), batch.get(look.volumes() - 1));
    } else if (batch.size() < BATCH_VOLUMES) {
      next.remove(repository.key());
    }
    DiskGrowth.commit(repository, look.grown());
    if (!look.seen().isEmpty()) {
      repository.commit(UUID.randomUUID().toString(), new WitnessVolumes(look.seen()));
    }
  }

  /**
   * @param volumes of the batch, from its beginning
   * @param grown sizes of disks by volume, in bytes
   */
  private record Look(int volumes, List<Seen> seen, Map<String, Long> grown) {}

  /** Ends early, before the storage counts as hanging; the next round continues. */
  private static Look look(ConnectedRepository repository, List<String> batch) throws IOException {
    Deadline end = Deadline.after(StorageIo.DEADLINE.dividedBy(2));
    List<Seen> seen = new ArrayList<>();
    Map<String, Long> grown = new HashMap<>();
    int volumes = 0;
    while (volumes < batch.size() && (volumes == 0 || !end.passed())) {
      String id = batch.get(volumes);
      try {
        Seen witnessed = VolumeModes.reconcile(repository, id, true);
        if (witnessed != null) {
          seen.add(witnessed);
        }
        Long size = grown(repository, id);
        if (size != null) {
          grown.put(id, size);
        }
      } catch (FileFailure e) {
        LOG.debug("The file of volume {} is looked at later: {}", id, e.toString());
      }
      volumes++;
    }
    return new Look(volumes, seen, grown);
  }

  /** The size of a disk that uses the volume and that no VM writes to; otherwise null. */
  private static @Nullable Long grown(ConnectedRepository repository, String volumeId)
      throws IOException {
    RepositoryState state = repository.state().repository();
    Volume volume = state.volumes().get(volumeId);
    Image disk = volume == null ? null : state.visibleImage(volume.imageId());
    return volume != null
            && disk != null
            && disk.volumeId().equals(volumeId)
            && state.writerOf(disk.id()) == null
            && !repository.storage().traits().devices()
        ? DiskSize.grown(state, repository.storage(), disk)
        : null;
  }

  /** The files that an open was given; its user may write only to the first one, if at all. */
  static void ofOpen(ConnectedRepository repository, RepositoryState state, Open open)
      throws IOException {
    for (String id : open.volumes()) {
      Volume volume = state.volumes().get(id);
      if (volume != null && !open.readOnly() && id.equals(open.volumes().getFirst())) {
        repository.storage().volumes().thaw(String.valueOf(volume.file()));
      } else if (volume != null) {
        try {
          var _ = VolumeModes.reconcile(repository, id, false);
        } catch (FileFailure e) {
          LOG.debug("{} keeps its mode: {}", volume.file(), e.toString());
        }
      }
    }
  }
}
