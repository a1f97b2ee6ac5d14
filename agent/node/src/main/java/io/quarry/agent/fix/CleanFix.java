package io.quarry.agent.fix;

import io.quarry.agent.repository.Repository;
import io.quarry.agent.storage.Claim;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.StorageException;
import io.quarry.coordinator.fault.FaultPoints;
import io.quarry.coordinator.plan.FixState;
import io.quarry.coordinator.plan.Image;
import io.quarry.coordinator.plan.PurgeVolume;
import io.quarry.coordinator.plan.Reply;
import io.quarry.coordinator.plan.RepositoryState;
import io.quarry.coordinator.plan.Request;
import io.quarry.coordinator.plan.TombstoneVolume;
import io.quarry.coordinator.plan.Volume;
import io.quarry.coordinator.plan.Volume.CopySource;
import io.quarry.coordinator.plan.VolumeName;
import java.io.IOException;
import java.util.List;
import java.util.Objects;
import java.util.UUID;
import java.util.stream.Stream;

/**
 * Frees the space of a volume that no image needs: tombstone, unlink, purge. The tombstone is the
 * decision. Any number of hosts may repeat the steps after the tombstone.
 */
final class CleanFix {
  /** Check finds the files of epochs beyond the newest known claim as orphans. */
  private static final long EPOCHS_BEYOND = 1;

  private final RunningFix run;
  private final Repository repository;

  CleanFix(RunningFix run) {
    this.run = run;
    this.repository = run.repository();
  }

  void run(String volumeId) throws IOException, FixGoneException {
    Reply decided = tombstone(volumeId);
    Volume volume = repository.atLeast(decided.commit()).repository().volumes().get(volumeId);
    if (volume == null || volume.stage() != Volume.Stage.TOMBSTONED) {
      throw new FixGoneException("its volume is not tombstoned");
    }
    FaultPoints.reach("clean.tombstoned");
    String maker = FixState.makerId(volume);
    new VolumeFiles(repository.storage()).removeAll(volume, epochs(volume, maker));
    FaultPoints.reach("clean.unlinked");
    List<CopySource> needed =
        Stream.of(volume.source(), volume.baseSource()).filter(Objects::nonNull).toList();
    RepositoryState now = repository.state().repository();
    SourcePins.release(run.context().repositories(), needed, now);
    if (volume.heavy()) {
      run.store().forget(maker);
    }
    FaultPoints.reach("clean.purge");
    commit(new PurgeVolume(run.fix().id(), volumeId));
  }

  private Reply tombstone(String volumeId) throws IOException, FixGoneException {
    try {
      return commit(new TombstoneVolume(run.fix().id(), volumeId));
    } catch (FixGoneException e) {
      RepositoryState state = repository.state().repository();
      FixState now = state.fixes().get(run.fix().id());
      Image image = state.images().get(String.valueOf(run.fix().imageId()));
      boolean retained = image != null && image.retainedUntil() != null;
      if (now != null && now.epoch() == run.epoch() && retained) {
        // An earlier SDM, whose clock was ahead, granted this clean, or an earlier try failed. The
        // retention ends soon.
        throw new IOException(e.getMessage(), e);
      }
      throw e;
    }
  }

  private long epochs(Volume volume, String maker) throws IOException {
    Claim newest = volume.heavy() ? run.store().newestClaim(maker) : null;
    long claimed = newest == null ? run.epoch() : newest.epoch();
    VolumeName published = volume.file() == null ? null : VolumeName.parse(volume.file());
    return Math.max(claimed, published == null ? 1 : published.epoch()) + EPOCHS_BEYOND;
  }

  private Reply commit(Request request) throws FixGoneException {
    try {
      return repository.commit(UUID.randomUUID().toString(), request);
    } catch (StorageException e) {
      if (e.code() == ErrorCode.FIX_STALE) {
        throw new FixGoneException(String.valueOf(e.getMessage()));
      }
      throw e;
    }
  }
}
