package io.quarry.agent.fix;

import io.quarry.agent.data.CopyFigures;
import io.quarry.agent.data.CopyPlan;
import io.quarry.agent.data.PrefixCopy;
import io.quarry.agent.data.RawTarget;
import io.quarry.agent.data.Source;
import io.quarry.agent.data.WindowCopier;
import io.quarry.agent.repository.ConnectedRepository;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.StorageException;
import io.quarry.coordinator.fault.FaultPoints;
import io.quarry.coordinator.log.LogState;
import io.quarry.coordinator.plan.FinishMend;
import io.quarry.coordinator.plan.FixState;
import io.quarry.coordinator.plan.RepositoryState;
import io.quarry.coordinator.plan.Volume;
import io.quarry.coordinator.plan.Volume.CopySource;
import java.io.IOException;
import java.nio.file.Files;
import java.util.Optional;
import java.util.UUID;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Mends a broken image: makes the volume it lacks, empty, as an overlay, or as a copy. */
final class MendFix {
  private static final Logger LOG = LoggerFactory.getLogger(MendFix.class);
  private static final int COPY_STAGES = 2;

  private final RunningFix run;
  private final ConnectedRepository repository;
  private final VolumeFiles files;

  MendFix(RunningFix run) {
    this.run = run;
    this.repository = run.repository();
    this.files = new VolumeFiles(repository.storage());
  }

  void run() throws IOException, InterruptedException, FixGoneException {
    RepositoryState state = repository.state().repository();
    Volume volume = state.volumes().get(String.valueOf(run.fix().volumeId()));
    if (volume == null || volume.stage() != Volume.Stage.INTENDED) {
      throw new FixGoneException("its volume is whole or gone");
    }
    if (volume.source() == null) {
      String file = volume.fileOfEpoch(run.epoch());
      files.makeEmpty(volume, file, state);
      FaultPoints.reach("mend.made");
      publish(volume, file);
    } else {
      publish(volume, copy(volume, volume.source()));
      SourcePin.release(run, volume.source());
    }
  }

  /** Returns the file that now holds the whole content, durably. */
  private String copy(Volume volume, CopySource from)
      throws IOException, InterruptedException, FixGoneException {
    try (Source source = open(from)) {
      Start start = start(volume, source.size());
      try (RawTarget target = start.target()) {
        Checkpoint checkpoint =
            new Checkpoint(
                run.worker().hostId(),
                run.worker().incarnation(),
                run.epoch(),
                1,
                COPY_STAGES,
                "copy",
                start.file(),
                start.offset(),
                source.size(),
                start.movedBefore(),
                false,
                null,
                run.now());
        run.save(checkpoint);
        CopyFigures figures =
            WindowCopier.copy(
                source,
                target,
                CopyPlan.from(start.offset()),
                run.around().throttle(),
                run.control(),
                (end, moved) ->
                    run.save(checkpoint.at(end, start.movedBefore() + moved, run.now())));
        target.flush();
        LOG.info("Copied {} into {}: {}", from.imageId(), start.file(), figures);
        FaultPoints.reach("copy.done");
        run.save(run.checkpoint().stage(COPY_STAGES, "publish", run.now()));
      }
      return start.file();
    }
  }

  private Source open(CopySource from) throws IOException, InterruptedException {
    Optional<ConnectedRepository> holder = run.around().repositories().apply(from.repositoryKey());
    if (holder.isEmpty()) {
      throw new IOException("the repository that holds the source is not connected here");
    }
    return new SourceOpener(holder.get(), run).open(from.imageId());
  }

  /**
   * @param offset up to where the file holds the content already
   * @param movedBefore bytes that earlier epochs moved, as far as checkpoints know
   */
  private record Start(String file, RawTarget target, long offset, long movedBefore) {}

  /**
   * One inode has one writer epoch. An earlier epoch's file is gone on with only when its worker is
   * proven dead or let go of it; otherwise its checkpointed part is brought into a file of our own,
   * so that late writes land where nobody looks.
   */
  private Start start(Volume volume, long size) throws IOException, InterruptedException {
    Checkpoint earlier = run.store().newestCheckpoint(run.fix().id());
    if (earlier != null && usable(earlier, volume)) {
      String earlierFile = String.valueOf(earlier.file());
      if (proven(earlier)) {
        RawTarget target =
            RawTarget.reopen(repository.storage().volume(earlierFile), earlier.offset(), size);
        LOG.info("Going on with {} from byte {}", earlierFile, earlier.offset());
        return new Start(earlierFile, target, earlier.offset(), earlier.bytesMoved());
      }
      return startAnew(volume, size, earlier);
    }
    return fresh(volume, size, 0);
  }

  private Start fresh(Volume volume, long size, long movedBefore) throws IOException {
    String file = volume.fileOfEpoch(run.epoch());
    RawTarget target = RawTarget.create(repository.storage().volume(file), size);
    repository.storage().forceVolumes();
    return new Start(file, target, 0, movedBefore);
  }

  private Start startAnew(Volume volume, long size, Checkpoint earlier)
      throws IOException, InterruptedException {
    Start start = fresh(volume, size, earlier.bytesMoved());
    try {
      PrefixCopy.Way way =
          PrefixCopy.copy(
              repository.storage().volume(String.valueOf(earlier.file())),
              start.target(),
              earlier.offset(),
              run.around().throttle(),
              run.control());
      LOG.info(
          "No proof that {}@{} is dead: {} up to byte {} into {}, {}",
          earlier.hostId(),
          earlier.incarnation(),
          earlier.file(),
          earlier.offset(),
          start.file(),
          way);
      return new Start(
          start.file(),
          start.target(),
          earlier.offset(),
          earlier.bytesMoved() + (way == PrefixCopy.Way.COPIED ? earlier.offset() : 0));
    } catch (IOException | InterruptedException | RuntimeException e) {
      start.target().close();
      throw e;
    }
  }

  private boolean usable(Checkpoint earlier, Volume volume) {
    return earlier.file() != null
        && earlier.file().startsWith(volume.id() + ".")
        && earlier.offset() > 0
        && Files.exists(repository.storage().volume(earlier.file()));
  }

  /** All claims between that checkpoint and ours must be over, too: they may write that file. */
  private boolean proven(Checkpoint earlier) throws IOException {
    return new Predecessors(run).allOver(earlier);
  }

  private void publish(Volume volume, String file) throws IOException, FixGoneException {
    requireOurs();
    FaultPoints.reach("mend.publish");
    try {
      repository.commit(
          UUID.randomUUID().toString(),
          new FinishMend(run.fix().id(), volume.id(), run.epoch(), file));
    } catch (StorageException e) {
      if (e.code() == ErrorCode.FIX_STALE) {
        discard(volume, file);
        throw new FixGoneException(String.valueOf(e.getMessage()));
      }
      throw e;
    }
    files.removeOthers(volume, file, run.epoch());
    if (run.fix().heavy()) {
      run.store().forget(run.fix().id());
    }
  }

  /** An early stop for a worker that was away for long; safety does not rest on it. */
  private void requireOurs() throws IOException, FixGoneException {
    long newest = run.fix().heavy() ? newestClaim() : newestGrant();
    if (newest > run.epoch()) {
      throw new FixGoneException("epoch " + newest + " has taken over");
    }
  }

  private long newestClaim() throws IOException {
    FixStore.ClaimFile newest = run.store().newestClaim(run.fix().id());
    return newest == null ? 0 : newest.epoch();
  }

  private long newestGrant() {
    FixState now = repository.state().repository().fixes().get(run.fix().id());
    return now == null ? 0 : now.epoch();
  }

  /** Our file is not the published one: nobody will ever read it. */
  private void discard(Volume intended, String file) throws IOException {
    LogState fresh = repository.replica().refresh();
    Volume now = fresh.repository().volumes().get(intended.id());
    if (now == null || !file.equals(now.file())) {
      Files.deleteIfExists(repository.storage().volume(file));
    }
  }
}
