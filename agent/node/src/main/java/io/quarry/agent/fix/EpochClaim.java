package io.quarry.agent.fix;

import io.quarry.agent.repository.Repository;
import io.quarry.agent.storage.Checkpoint;
import io.quarry.agent.storage.Claim;
import io.quarry.agent.storage.WorkStore;
import io.quarry.coordinator.plan.FixState;
import io.quarry.coordinator.plan.FixState.Worker;
import io.quarry.coordinator.plan.RepositoryState;
import io.quarry.coordinator.plan.Volume;
import java.io.IOException;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Takes the next epoch of a heavy fix on the storage, where the authority is. Whatever the queue
 * says, exactly one life of one host gets an epoch.
 *
 * @param reporter receives each checkpoint
 */
record EpochClaim(Worker self, FixContext context, Consumer<RunningFix> reporter) {
  private static final Logger LOG = LoggerFactory.getLogger(EpochClaim.class);

  /**
   * Null when the fix is not needed, or when another host was faster.
   *
   * @param failures how often the fix had failed when it was queued
   */
  @Nullable RunningFix take(Repository repository, String fixId, int failures) throws IOException {
    FixState fix = repository.refresh().repository().fixes().get(fixId);
    if (fix == null || !fix.runnable()) {
      return null;
    }
    if (fix.failures() != failures) {
      // The queue entry is older than the latest failure: the SDM is about to queue the fix again,
      // with a pause.
      return null;
    }
    WorkStore store = repository.storage().work();
    Claim newest = store.newestClaim(fixId);
    long epoch = newest == null ? 1 : 1 + newest.epoch();
    if (store.claim(fixId, epoch, self, context.clock().instant()).isEmpty()) {
      return null;
    }
    RepositoryState now = repository.refresh().repository();
    FixState still = now.fixes().get(fixId);
    if (still == null || !still.runnable()) {
      if (!mayGoOn(now, fix)) {
        discard(repository, now, fix, epoch);
      }
      return null;
    }
    LOG.info("Claimed {} as epoch {}", fixId, epoch);
    Checkpoint earlier = store.newestCheckpoint(fixId);
    return new RunningFix(repository, still, self, epoch, earlier, context, reporter);
  }

  /**
   * Whether a caller may resume the fix or restore its image: then epochs and checkpoints count.
   */
  static boolean mayGoOn(RepositoryState state, FixState fix) {
    Volume volume = state.volumes().get(String.valueOf(fix.volumeId()));
    return volume != null && volume.stage() == Volume.Stage.INTENDED;
  }

  /**
   * Removes the files, claims and checkpoints of a fix that no worker continues. The clean of its
   * volume may miss what a run makes a moment later, and may have removed the claims already. The
   * claims tell which files there may be, so the claims go last.
   *
   * @param state read after the run was over: its volume never becomes intended again
   * @param own the epoch of the run that is over
   */
  static void discard(Repository repository, RepositoryState state, FixState fix, long own)
      throws IOException {
    String volumeId = String.valueOf(fix.volumeId());
    WorkStore store = repository.storage().work();
    Volume volume = state.volumes().get(volumeId);
    if (volume == null || volume.stage() == Volume.Stage.TOMBSTONED) {
      Claim newest = store.newestClaim(fix.id());
      long last = newest == null ? own : Math.max(own, newest.epoch());
      new VolumeFiles(repository.storage()).removeAllOf(volumeId, last);
    }
    store.forget(fix.id());
  }
}
