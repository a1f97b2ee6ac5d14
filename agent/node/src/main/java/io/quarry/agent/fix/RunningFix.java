package io.quarry.agent.fix;

import io.quarry.agent.data.CopyControl;
import io.quarry.agent.data.process.Children;
import io.quarry.agent.repository.FixRequirements;
import io.quarry.agent.repository.Repository;
import io.quarry.agent.storage.Checkpoint;
import io.quarry.agent.storage.WorkStore;
import io.quarry.common.api.TaskInfo;
import io.quarry.coordinator.fault.FaultPoints;
import io.quarry.coordinator.plan.AdoptGrowth;
import io.quarry.coordinator.plan.FixState;
import io.quarry.coordinator.plan.FixState.Worker;
import io.quarry.coordinator.plan.Image;
import io.quarry.coordinator.plan.RepositoryState;
import io.quarry.coordinator.plan.Volume;
import io.quarry.coordinator.thread.Deadline;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A fix that runs on this host right now. One thread works on the fix. Any thread may ask that
 * thread to let go.
 */
final class RunningFix {
  /** Killed processes are gone in milliseconds, unless the storage hangs. */
  private static final Duration CHILDREN_GONE = Duration.ofSeconds(20);

  private static final long LOOK_MILLIS = 100;

  private final Repository repository;
  private final WorkStore store;
  private final FixState fix;
  private final Worker worker;
  private final long epoch;
  private final Instant startedAt;
  private final FixContext context;
  private final Consumer<RunningFix> reporter;
  private final CopyControl control = new CopyControl();
  private final Children children;
  private final CountDownLatch done = new CountDownLatch(1);

  private volatile @Nullable String stopReason;
  private volatile Checkpoint checkpoint;

  /** Only the worker's own thread uses this field. */
  private Checkpoint maybeSaved;

  private final AtomicLong bytesThisRun = new AtomicLong();

  /**
   * @param earlier the newest checkpoint of an earlier epoch, shown until this epoch has its own
   */
  RunningFix(
      Repository repository,
      FixState fix,
      Worker worker,
      long epoch,
      @Nullable Checkpoint earlier,
      FixContext context,
      Consumer<RunningFix> reporter) {
    this.repository = repository;
    this.store = repository.storage().work();
    this.fix = fix;
    this.worker = worker;
    this.epoch = epoch;
    this.context = context;
    this.reporter = reporter;
    this.startedAt = context.clock().instant();
    this.children = new Children(context.spawner(), worker.hostId() + ":" + fix.id());
    this.checkpoint = Checkpoint.starting(worker, epoch, earlier, startedAt);
    this.maybeSaved = checkpoint;
  }

  Repository repository() {
    return repository;
  }

  WorkStore store() {
    return store;
  }

  FixState fix() {
    return fix;
  }

  Worker worker() {
    return worker;
  }

  long epoch() {
    return epoch;
  }

  FixContext context() {
    return context;
  }

  /** The tools that work for this fix; all of them end before the fix's claim does. */
  Children children() {
    return children;
  }

  /** When the method returns, no tool of this fix runs any more. */
  void stopChildren() throws IOException, InterruptedException {
    try {
      children.stopAll(CHILDREN_GONE);
    } catch (IOException | InterruptedException e) {
      context.own().lose(fix.id());
      throw e;
    }
  }

  SourceOpener sourceIn(Repository holder) {
    Chains chains = new Chains(context.repositories());
    return new SourceOpener(holder, chains, children, context.runtimeDirectory());
  }

  /** Waits for a process that writes to the volume and has not opened its image through Quarry. */
  void requireStill(Volume volume) throws IOException {
    String file = String.valueOf(volume.file());
    Optional<String> writer = repository.storage().volumes().writer(file);
    if (writer.isPresent()) {
      throw new IOException(writer.get() + " writes to " + file + ", outside of Quarry");
    }
  }

  /**
   * Another file replaces the image's file. What a process writes to the old file by then would be
   * lost. So would be the end of a disk that a hypervisor has grown.
   */
  void requireStill(RepositoryState state, Image image) throws IOException, FixGoneException {
    requireStill(state.volumeOf(image));
    Long grown = DiskSize.grown(state, repository.storage(), image);
    if (grown != null) {
      Map<String, Long> sizes = Map.of(image.volumeId(), grown);
      var _ = repository.commit(UUID.randomUUID().toString(), new AdoptGrowth(sizes));
      throw new FixGoneException("its disk has grown to " + grown + " bytes");
    }
  }

  CopyControl control() {
    return control;
  }

  Instant now() {
    return context.clock().instant();
  }

  /** Whether the fix needs that repository. */
  boolean needs(String repositoryKey) {
    return required().contains(repositoryKey);
  }

  private Set<String> required() {
    return FixRequirements.required(fix, repository.state().repository(), repository.key());
  }

  /** Whether this host can make files on all the storages that the fix needs. */
  boolean storagesUsable() {
    return required().stream()
        .map(context.repositories())
        .flatMap(Optional::stream)
        .allMatch(each -> each.storage().isUsable("fix." + UUID.randomUUID()));
  }

  String taskId() {
    return worker.hostId() + ":" + fix.id() + ":" + epoch;
  }

  Checkpoint checkpoint() {
    return checkpoint;
  }

  /**
   * The newest checkpoint that other workers may find. The storage may have stored it although
   * saving it failed.
   */
  Checkpoint maybeSaved() {
    return maybeSaved;
  }

  /**
   * Persists how far this epoch is. The data that the checkpoint counts must be durable already.
   */
  void save(Checkpoint newer) throws IOException {
    maybeSaved = newer;
    store.save(fix.id(), newer);
    FaultPoints.reach("fix.saved");
    bytesThisRun.addAndGet(Math.max(0, newer.bytesMoved() - checkpoint.bytesMoved()));
    checkpoint = newer;
    // A released checkpoint has no progress to show, and its error can be longer than a queue entry
    // takes.
    if (!newer.released()) {
      reporter.accept(this);
    }
  }

  /** Asks the worker to let go at the next opportunity; the first reason counts. */
  void stop(String reason) {
    if (stopReason == null) {
      stopReason = reason;
    }
    control.stop();
  }

  @Nullable String stopReason() {
    return stopReason;
  }

  void finished() {
    done.countDown();
  }

  /** Waits until the run has ended, unless its storage is found to hang. */
  void awaitEnd(long millis) throws InterruptedException, TimeoutException {
    Deadline deadline = Deadline.afterMillis(millis);
    while (!done.await(LOOK_MILLIS, TimeUnit.MILLISECONDS)) {
      if (!repository.responsive()) {
        throw new TimeoutException("task " + taskId() + " waits for a storage that hangs");
      }
      if (deadline.passed()) {
        throw new TimeoutException("task " + taskId() + " did not end within " + millis + " ms");
      }
    }
  }

  TaskInfo info() {
    long millis = Math.max(1, now().toEpochMilli() - startedAt.toEpochMilli());
    return new TaskInfo(
        taskId(),
        worker.hostId(),
        repository.repoId(),
        fix.id(),
        fix.type(),
        repository.state().repository().beneficiaryOf(fix),
        epoch,
        startedAt,
        bytesThisRun.get() * 1000 / millis,
        checkpoint.progress());
  }
}
