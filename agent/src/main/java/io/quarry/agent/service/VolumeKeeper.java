package io.quarry.agent.service;

import io.quarry.agent.format.RepositoryStorage;
import io.quarry.agent.repository.ConnectedRepository;
import io.quarry.common.model.ImageKind;
import io.quarry.common.model.Limits;
import io.quarry.coordinator.plan.AdoptGrowth;
import io.quarry.coordinator.plan.Feature;
import io.quarry.coordinator.plan.Image;
import io.quarry.coordinator.plan.Open;
import io.quarry.coordinator.plan.RepositoryState;
import io.quarry.coordinator.plan.Volume;
import io.quarry.coordinator.plan.Volume.Witness;
import io.quarry.coordinator.plan.WitnessVolumes;
import io.quarry.coordinator.plan.WitnessVolumes.Seen;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Brings the modes of volume files into line with the log, whatever has changed the modes: an older
 * agent, libvirt, an administrator. The host that leads looks at all files when its term begins,
 * and at a batch in each round after that. One file that cannot be changed holds up no other file.
 * Frozen files that the log has no witness of are witnessed along the way, and the growth of disks
 * is adopted that nobody has open any more.
 *
 * <p>For the housekeeper's thread.
 */
final class VolumeKeeper {
  private static final Logger LOG = LoggerFactory.getLogger(VolumeKeeper.class);

  /** Files of one look at the storage; a look costs one system call a file. */
  static final int BATCH_VOLUMES = WitnessVolumes.VOLUMES_MAX;

  private final StorageIo io;

  /** By repository key, where the next round begins. */
  private final Map<String, String> next = new HashMap<>();

  private final Set<String> led = new HashSet<>();

  VolumeKeeper(StorageIo io) {
    this.io = io;
  }

  /** One round of a repository that this host leads. */
  void round(ConnectedRepository repository) {
    boolean first = led.add(repository.key());
    if (first) {
      next.remove(repository.key());
    }
    do {
      batch(repository);
    } while (first && next.containsKey(repository.key()));
  }

  /** This host does not lead the repository; all its files are looked at when it does again. */
  void follow(ConnectedRepository repository) {
    led.remove(repository.key());
  }

  private void batch(ConnectedRepository repository) {
    RepositoryState state = repository.state().repository();
    String after = next.getOrDefault(repository.key(), "");
    List<Volume> batch =
        state.volumes().values().stream()
            .filter(volume -> volume.id().compareTo(after) > 0)
            .sorted(Comparator.comparing(Volume::id))
            .limit(BATCH_VOLUMES)
            .toList();
    boolean witnessing = state.schema().has(Feature.WITNESSES);
    Map<String, Long> grown = new HashMap<>();
    List<Seen> seen =
        io.call(
            repository,
            () -> {
              List<Seen> found = new ArrayList<>();
              for (Volume volume : batch) {
                Witness witness = reconcile(repository.storage(), state, volume, witnessing);
                Image disk = diskOf(state, volume);
                if (witnessing && disk != null) {
                  addGrown(repository, disk, volume, grown);
                }
                if (witness != null) {
                  found.add(new Seen(volume.id(), volume.imageId(), witness));
                }
              }
              return found;
            });
    if (!seen.isEmpty()) {
      repository.commit(UUID.randomUUID().toString(), new WitnessVolumes(seen));
    }
    if (!grown.isEmpty()) {
      repository.commit(UUID.randomUUID().toString(), new AdoptGrowth(grown));
    }
    if (batch.size() < BATCH_VOLUMES) {
      next.remove(repository.key());
    } else {
      next.put(repository.key(), batch.getLast().id());
    }
  }

  /** The disk that goes on in the volume and that nobody writes to; null when there is none. */
  private static @Nullable Image diskOf(RepositoryState state, Volume volume) {
    Image owner = state.strongImage(volume.imageId());
    return owner != null
            && owner.kind() == ImageKind.VIRTUAL_DISK
            && owner.volumeId().equals(volume.id())
            && state.writerOf(owner.id()) == null
        ? owner
        : null;
  }

  private static void addGrown(
      ConnectedRepository repository, Image disk, Volume top, Map<String, Long> grown) {
    try {
      Long size = DiskSize.grown(repository, disk, top);
      if (size != null && Limits.isImageSize(size)) {
        grown.put(top.id(), size);
      }
    } catch (IOException e) {
      LOG.debug("{} is looked at later: {}", top.file(), e.toString());
    }
  }

  /** Returns the witness of a frozen file that has none, if it is to have one. */
  private static @Nullable Witness reconcile(
      RepositoryStorage storage, RepositoryState state, Volume volume, boolean witnessing) {
    if (volume.stage() != Volume.Stage.READY || volume.file() == null) {
      return null;
    }
    try {
      if (witnessing && volume.witness() == null && volume.isFrozen(state)) {
        return storage.volumes().freeze(volume.file());
      }
      storage.volumes().protect(volume.file(), volume.isFrozen(state));
    } catch (IOException e) {
      LOG.debug("{} keeps its mode: {}", volume.file(), e.toString());
    }
    return null;
  }

  /** The files that an open was handed out: its user may write to the first one, if at all. */
  static void ofOpen(RepositoryStorage storage, RepositoryState state, Open open)
      throws IOException {
    for (String id : open.volumes()) {
      Volume volume = state.volumes().get(id);
      if (volume != null && !open.readOnly() && id.equals(open.volumes().getFirst())) {
        storage.volumes().thaw(String.valueOf(volume.file()));
      } else if (volume != null) {
        var _ = reconcile(storage, state, volume, false);
      }
    }
  }
}
