package io.quarry.agent.fix;

import io.quarry.agent.data.ChainSource;
import io.quarry.agent.data.OverlayTarget;
import io.quarry.agent.data.qemu.Chain;
import io.quarry.agent.data.qemu.FileUse;
import io.quarry.agent.data.qemu.ImageCheck;
import io.quarry.agent.data.qemu.QemuImg;
import io.quarry.agent.repository.Repository;
import io.quarry.agent.storage.Checkpoint;
import io.quarry.agent.storage.VolumeStore;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.StorageException;
import io.quarry.common.model.ImageKind;
import io.quarry.common.model.VolumeFormat;
import io.quarry.coordinator.fault.FaultPoints;
import io.quarry.coordinator.plan.BeginMergeInPlace;
import io.quarry.coordinator.plan.FinishMergeInPlace;
import io.quarry.coordinator.plan.Image;
import io.quarry.coordinator.plan.LeaveMergeInPlace;
import io.quarry.coordinator.plan.Reply;
import io.quarry.coordinator.plan.RepositoryState;
import io.quarry.coordinator.plan.Request;
import io.quarry.coordinator.plan.Volume;
import io.quarry.coordinator.plan.Volume.Witness;
import java.io.IOException;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Merges hidden images: writes the data that lies above the lowest of them down into its volume. A
 * merge goes that way when three conditions hold. Fewer bytes move than into a new volume, no image
 * reads the lower volume, and no other process may be writing to it.
 */
final class MergeInPlaceFix {
  private static final Logger LOG = LoggerFactory.getLogger(MergeInPlaceFix.class);

  private final RunningFix run;
  private final Volume.Writer self;
  private final Repository repository;
  private final SourceOpener opener;
  private final LocalWriters own;

  MergeInPlaceFix(RunningFix run) {
    this.run = run;
    this.self = new Volume.Writer(run.fix().id(), run.worker(), run.epoch());
    this.repository = run.repository();
    this.opener = run.sourceIn(repository);
    this.own = run.context().own();
  }

  /** Returns false, with no change made, when the merge has to write a new volume. */
  boolean run(Volume better, Image image)
      throws IOException, InterruptedException, FixGoneException {
    RepositoryState state = repository.state().repository();
    Volume base = state.mergeBase(better, run.now());
    if (base == null || !mayWrite(base) || !pays(better, base, image, state)) {
      return false;
    }
    ImageCheck found = check(base);
    if (!found.isSound()) {
      LOG.warn("{} is not sound: {} makes a new volume", base.file(), run.fix().id());
      return false;
    }
    boolean ended = false;
    own.begin(self);
    try {
      Reply begun = begin(better, base);
      if (begun != null) {
        writeDown(base, found, image, repository.atLeast(begun.commit()).repository());
        finish(better, base, image);
      }
      ended = true;
      own.forget(self);
      return begun != null;
    } finally {
      if (!ended) {
        leave(base);
      }
    }
  }

  /** Null when the SDM refuses the merge, since the state has changed meanwhile. */
  private @Nullable Reply begin(Volume better, Volume base) {
    try {
      return commit(new BeginMergeInPlace(better.id(), base.id(), self, base.writer()));
    } catch (StorageException e) {
      if (e.code() == ErrorCode.FIX_STALE) {
        LOG.info("{} makes a new volume: {}", run.fix().id(), e.getMessage());
        return null;
      }
      throw e;
    }
  }

  /**
   * Another run on this host may be about to let go. As long as no proof says that an earlier
   * writer is over, the merge makes a new volume.
   */
  private boolean mayWrite(Volume base) throws IOException {
    String file = String.valueOf(base.file());
    if (!volumes().mayThaw(file)) {
      LOG.info("This host cannot thaw {}: {} makes a new volume", file, run.fix().id());
      return false;
    }
    FileUse use = volumes().use(file);
    if (use == FileUse.READER || use == FileUse.WRITER) {
      LOG.info("A process uses {}: {} makes a new volume", file, run.fix().id());
      return false;
    }
    Volume.Writer writer = base.writer();
    if (writer == null || run.context().proof().dead(writer.worker())) {
      return true;
    }
    return switch (own.stageOf(writer)) {
      case OVER -> true;
      case WRITING ->
          throw new IOException("the merge before, " + writer.fixId() + ", has not let go yet");
      case null -> {
        LOG.info("No proof that {} is over: {} makes a new volume", writer, run.fix().id());
        yield false;
      }
    };
  }

  /** A merge that was begun is continued, whether it pays or not. */
  private boolean pays(Volume better, Volume base, Image image, RepositoryState state)
      throws IOException, InterruptedException {
    if (base.writer() != null && base.writer().fixId().equals(self.fixId())) {
      return true;
    }
    if (ResumePoint.of(run, better, null) != null) {
      return false;
    }
    Chain chain = opener.chainOf(state, image);
    int upper = layersAbove(state, image, base.imageId());
    int all = layersAbove(state, image, better.parentImageId());
    try (ChainSource source = opener.open(chain, image.size())) {
      return source.dataAbove(upper, run.control()) < source.dataAbove(all, run.control());
    }
  }

  private static int layersAbove(RepositoryState state, Image image, @Nullable String belowId) {
    return (int)
        state.chainOf(image).stream().takeWhile(layer -> !layer.id().equals(belowId)).count();
  }

  private void writeDown(Volume base, ImageCheck found, Image image, RepositoryState state)
      throws IOException, InterruptedException {
    Chain chain = opener.chainOf(state, image);
    Volume begun = state.volumes().get(base.id());
    if (begun == null) {
      throw new IOException("volume " + base.id() + " is gone");
    }
    int upper = layersAbove(state, image, begun.imageId());
    Chain down = new Chain(chain.below(upper));
    LayerCopy.Start start = start(String.valueOf(base.file()));
    volumes().thaw(start.file());
    prepare(down, found, image.size());
    try (ChainSource source = opener.open(chain.upper(upper), image.size());
        OverlayTarget target =
            OverlayTarget.openShared(run.children(), run.context().runtimeDirectory(), down)) {
      new LayerCopy(run, source.above(upper)).into(target, start);
    }
  }

  /** The earlier writer has let go or is dead, so its checkpoint counts. */
  private LayerCopy.Start start(String file) throws IOException {
    Checkpoint earlier = run.store().newestCheckpoint(run.fix().id());
    if (earlier == null || !file.equals(earlier.file())) {
      return new LayerCopy.Start(file, 0, earlier == null ? 0 : earlier.bytesMoved());
    }
    LOG.info("Going on to write down into {} from byte {}", file, earlier.offset());
    return new LayerCopy.Start(file, earlier.offset(), earlier.bytesMoved());
  }

  private ImageCheck check(Volume base) throws IOException, InterruptedException {
    run.control().check("about to check " + base.file());
    return base.format() == VolumeFormat.RAW
        ? ImageCheck.CLEAN
        : new QemuImg(run.children())
            .check(volumes().layer(String.valueOf(base.file()), base.format()).requireFile());
  }

  /**
   * A killed server leaves clusters without a reference. The disk above may be larger than the
   * volume.
   */
  private void prepare(Chain down, ImageCheck found, long size)
      throws IOException, InterruptedException {
    QemuImg qemu = new QemuImg(run.children());
    Chain.Layer base = down.top().requireFile();
    run.control().check("about to write down into " + base.file());
    if (!found.isClean() && !qemu.repairLeaksShared(base).isSound()) {
      throw new IOException(base.file() + " is not sound; check the repository's data");
    }
    if (qemu.info(base.file(), base.format()).virtualSize() < size) {
      qemu.grow(base, size);
    }
  }

  private void finish(Volume better, Volume base, Image image)
      throws IOException, FixGoneException {
    RepositoryState state = repository.state().repository();
    run.requireStill(state, image);
    Map<String, Witness> witnesses =
        image.kind() == ImageKind.SNAPSHOT && state.freezesFiles()
            ? Map.of(base.id(), volumes().freeze(String.valueOf(base.file())))
            : Map.of();
    // The base was writable meanwhile, also for a domain whose definition still names the base's
    // file.
    run.requireStill(base);
    FaultPoints.reach("merge.publish");
    try {
      commit(new FinishMergeInPlace(better.id(), self, Publication.forLog(witnesses)));
    } catch (StorageException e) {
      if (e.code() == ErrorCode.FIX_STALE) {
        throw new FixGoneException(String.valueOf(e.getMessage()));
      }
      throw e;
    }
  }

  /** When the commit fails, at least this host knows that the merge is over. */
  private void leave(Volume base) throws InterruptedException {
    try {
      run.stopChildren();
      own.over(self);
      commit(new LeaveMergeInPlace(base.id(), self, Publication.forLog(frozen(base))));
      own.forget(self);
    } catch (IOException | StorageException e) {
      LOG.warn("Letting go of {} could not be noted: {}", base.file(), e.toString());
    } finally {
      if (own.stageOf(self) == LocalWriters.Stage.WRITING) {
        own.forget(self);
      }
    }
  }

  /**
   * When a file cannot be frozen here, the SDM's host freezes the file later, or check reports the
   * file.
   */
  private Map<String, Witness> frozen(Volume base) {
    try {
      RepositoryState state = repository.refresh().repository();
      Volume now = state.volumes().get(base.id());
      // A disk may continue in the file: the end was committed, or another worker has taken over.
      if (now == null || !self.equals(now.writer()) || !state.freezesFiles()) {
        return Map.of();
      }
      return Map.of(base.id(), volumes().freeze(String.valueOf(base.file())));
    } catch (IOException e) {
      LOG.warn("{} stays writable: {}", base.file(), e.toString());
      return Map.of();
    }
  }

  private VolumeStore volumes() {
    return repository.storage().volumes();
  }

  private Reply commit(Request request) {
    return repository.commit(UUID.randomUUID().toString(), request);
  }
}
