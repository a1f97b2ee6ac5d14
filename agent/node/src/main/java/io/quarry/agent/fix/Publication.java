package io.quarry.agent.fix;

import io.quarry.agent.data.os.FileFailure;
import io.quarry.agent.repository.Repository;
import io.quarry.agent.storage.Claim;
import io.quarry.agent.storage.VolumeStore;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.StorageException;
import io.quarry.common.model.ImageKind;
import io.quarry.coordinator.fault.FaultPoints;
import io.quarry.coordinator.log.LogState;
import io.quarry.coordinator.plan.ExternalReferences;
import io.quarry.coordinator.plan.FixState;
import io.quarry.coordinator.plan.Image;
import io.quarry.coordinator.plan.Reply;
import io.quarry.coordinator.plan.RepositoryState;
import io.quarry.coordinator.plan.Request;
import io.quarry.coordinator.plan.Volume;
import io.quarry.coordinator.plan.Volume.CopySource;
import io.quarry.coordinator.plan.Volume.Witness;
import java.io.IOException;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Makes a file the content of its volume, and tidies up after it. */
final class Publication {
  private static final Logger LOG = LoggerFactory.getLogger(Publication.class);

  private final RunningFix run;
  private final Repository repository;
  private final VolumeFiles files;

  Publication(RunningFix run) {
    this.run = run;
    this.repository = run.repository();
    this.files = new VolumeFiles(repository.storage());
  }

  /**
   * @param file durable
   */
  void publish(Volume volume, String file, Finish finish) throws IOException, FixGoneException {
    requireOurs();
    Map<String, Witness> witnesses;
    try {
      witnesses = protect(volume, file);
    } catch (FileFailure.NotFound e) {
      requireStillDue();
      throw e;
    }
    FaultPoints.reach("mend.publish");
    Set<CopySource> needed =
        run.fix().heavy() ? ExternalReferences.by(repository.state().repository()) : Set.of();
    Reply done;
    try {
      done = repository.commit(UUID.randomUUID().toString(), finish.with(forLog(witnesses)));
    } catch (StorageException e) {
      if (e.code() == ErrorCode.FIX_STALE) {
        discard(volume, file);
        throw new FixGoneException(String.valueOf(e.getMessage()));
      }
      throw e;
    }
    FaultPoints.reach(run.fix().heavy() ? "copy.published" : "mend.published");
    files.removeOthers(volume, file, run.epoch());
    FaultPoints.reach("mend.tidied");
    if (run.fix().heavy()) {
      run.store().forget(run.fix().id());
      RepositoryState now = repository.atLeast(done.commit()).repository();
      SourcePins.release(run.context().repositories(), needed, now);
    }
  }

  /** The worker that goes on with the fix removes what earlier workers have made. */
  private void requireStillDue() throws IOException, FixGoneException {
    FixState now = repository.refresh().repository().fixes().get(run.fix().id());
    if (now == null || (!run.fix().heavy() && now.epoch() != run.epoch())) {
      throw new FixGoneException("its file is gone: another host has gone on with the fix");
    }
  }

  /**
   * From the commit on, a snapshot's file is frozen. The volume below may be frozen since its disk
   * got the overlay that this fix publishes. An earlier publication left that volume's file
   * writable.
   *
   * @return witnesses of both, by volume
   */
  private Map<String, Witness> protect(Volume volume, String file) throws IOException {
    RepositoryState state = repository.state().repository();
    Image image = state.images().get(volume.imageId());
    VolumeStore volumes = repository.storage().volumes();
    Map<String, Witness> witnesses = new HashMap<>();
    if (image != null && image.kind() == ImageKind.SNAPSHOT && state.freezesFiles()) {
      witnesses.put(volume.id(), volumes.freeze(file));
    } else {
      volumes.thaw(file);
    }
    Image below = state.images().get(String.valueOf(volume.parentImageId()));
    Volume base = below == null ? null : state.volumeOf(below);
    if (below != null && base != null && base.witness() == null && base.isFrozen(state)) {
      try {
        witnesses.put(base.id(), volumes.freeze(String.valueOf(base.file())));
      } catch (IOException e) {
        LOG.warn("{} stays as it is: {}", base.file(), e.toString());
      }
      if (below.visible()) {
        requireStill(base, file);
      }
    }
    return witnesses;
  }

  /** A process that had the snapshot's file open keeps its permission to write. */
  private void requireStill(Volume base, String file) throws IOException {
    try {
      run.requireStill(base);
    } catch (IOException e) {
      if (!run.fix().heavy()) {
        // This epoch has made the file, and makes a new one when that process has ended.
        repository.storage().volumes().remove(file);
      }
      throw e;
    }
  }

  /** An older log has no witnesses, and its SDM may not know them. */
  static @Nullable Map<String, Witness> forLog(Map<String, Witness> witnesses) {
    return witnesses.isEmpty() ? null : witnesses;
  }

  /** Names the file, and what was frozen. */
  interface Finish {
    Request with(@Nullable Map<String, Witness> witnesses);
  }

  /** An early stop for a worker that was away for long; safety does not depend on it. */
  private void requireOurs() throws IOException, FixGoneException {
    long newest = run.fix().heavy() ? newestClaim() : newestGrant();
    if (newest > run.epoch()) {
      throw new FixGoneException("epoch " + newest + " has taken over");
    }
  }

  private long newestClaim() throws IOException {
    Claim newest = run.store().newestClaim(run.fix().id());
    return newest == null ? 0 : newest.epoch();
  }

  private long newestGrant() {
    FixState now = repository.state().repository().fixes().get(run.fix().id());
    return now == null ? 0 : now.epoch();
  }

  /**
   * No reader will open this epoch's file, unless the volume is still intended. In that case a
   * delayed commit of this or an earlier epoch may still publish the file, once the fix is wanted
   * again. So the file stays, and the next mend or clean of the volume removes it.
   */
  private void discard(Volume intended, String file) throws IOException {
    LogState fresh = repository.refresh();
    Volume now = fresh.repository().volumes().get(intended.id());
    if (now == null || (now.stage() != Volume.Stage.INTENDED && !file.equals(now.file()))) {
      repository.storage().volumes().remove(file);
    }
  }
}
