package io.quarry.agent.service;

import io.quarry.agent.repository.ConnectedRepository;
import io.quarry.agent.repository.Repository;
import io.quarry.agent.storage.Checkpoint;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.ImageStatus;
import io.quarry.common.api.StatusQuery;
import io.quarry.common.api.StorageException;
import io.quarry.common.model.ImageState;
import io.quarry.common.model.Progress;
import io.quarry.coordinator.cluster.HostRecord;
import io.quarry.coordinator.log.LogState;
import io.quarry.coordinator.plan.Condition;
import io.quarry.coordinator.plan.FixState;
import io.quarry.coordinator.plan.Image;
import io.quarry.coordinator.plan.RepositoryState;
import io.quarry.coordinator.plan.Volume.CopySource;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Reports the status of images. For an optimized image a look-up in memory is enough. For others
 * the last persisted progress is read from the storage, at most a few times a second each.
 */
final class Status {
  /** The longest a call may wait. */
  static final Duration WAIT_MAX = Duration.ofMinutes(5);

  private static final Duration PROGRESS_FRESH = Duration.ofMillis(200);
  private static final int PROGRESS_KEPT_MAX = 10_000;

  private final StorageIo io;
  private final Function<String, Optional<Repository>> repositories;
  private final SpaceWaits space;
  private final Supplier<List<HostRecord>> hosts;
  private final Map<String, Kept> kept = new ConcurrentHashMap<>();

  private record Kept(@Nullable Progress progress, long readNanos) {}

  /**
   * @param repositories those connected here, by key
   * @param hosts the live hosts
   */
  Status(
      StorageIo io,
      Function<String, Optional<Repository>> repositories,
      SpaceWaits space,
      Supplier<List<HostRecord>> hosts) {
    this.io = io;
    this.repositories = repositories;
    this.space = space;
    this.hosts = hosts;
  }

  ImageStatus of(ConnectedRepository repository, String imageId, StatusQuery query) {
    LogState state = fresh(repository, repository.atLeast(query.atLeast()), imageId);
    ImageState until = query.until();
    if (until != null && query.timeout().isPositive()) {
      Duration timeout = query.timeout().compareTo(WAIT_MAX) > 0 ? WAIT_MAX : query.timeout();
      state =
          fresh(
              repository, repository.await(now -> reached(now, imageId, until), timeout), imageId);
    }
    Image image = state.repository().visibleImage(imageId);
    if (image == null) {
      throw notFound(imageId, repository.repoId());
    }
    ImageState found = state.repository().stateOf(image);
    FixState fix = state.repository().fixOf(image);
    Progress progress = fix == null ? null : progress(repository, fix.id());
    String reason = reason(state.repository(), image);
    String fault = fix == null ? null : fault(repository, state.repository(), fix);
    return new ImageStatus(
        found,
        fault == null ? reason : reason + "; " + fault,
        state.sequence(),
        withError(fix, progress));
  }

  /** The state by which the image is described. */
  LogState fresh(ConnectedRepository repository, LogState known, String imageId) {
    return Lookup.fresh(io, repository, known, imageId);
  }

  private @Nullable String fault(
      ConnectedRepository repository, RepositoryState state, FixState fix) {
    return new FixObstacles(repository, state, hosts.get(), space.of(repository, fix)).fault(fix);
  }

  /** The reason also names this host, if this host does not reach all of the image. */
  private @Nullable String reason(RepositoryState state, Image image) {
    String reason = Condition.reason(state, image);
    CopySource elsewhere = state.isWhole(image) ? state.layersOf(image).elsewhere() : null;
    boolean reached =
        elsewhere == null || repositories.apply(elsewhere.repositoryKey()).isPresent();
    return reached ? reason : reason + "; that repository is not connected on this host";
  }

  /** A stop or a failure in the log is shown even when no worker could persist it. */
  private static @Nullable Progress withError(@Nullable FixState fix, @Nullable Progress progress) {
    if (fix == null || fix.lastError() == null) {
      return progress;
    }
    if (progress == null) {
      return new Progress(
          "", "0/0", "not started", Progress.UNKNOWN_PERCENT, 0, 0, fix.lastError(), fix.since());
    }
    return new Progress(
        progress.hostId(),
        progress.stage(),
        progress.stageName(),
        progress.percentComplete(),
        progress.bytesDone(),
        progress.bytesTotal(),
        fix.lastError(),
        progress.updatedAt());
  }

  private static boolean reached(LogState state, String imageId, ImageState until) {
    Image image = state.repository().visibleImage(imageId);
    if (image == null) {
      return true;
    }
    ImageState now = state.repository().stateOf(image);
    return now == until || (until == ImageState.DEGRADED && now == ImageState.OPTIMIZED);
  }

  /** The last persisted progress of a fix; null when none was ever persisted. */
  @Nullable Progress progress(ConnectedRepository repository, String fixId) {
    String key = repository.key() + "/" + fixId;
    Kept known = kept.get(key);
    if (known != null && System.nanoTime() - known.readNanos() < PROGRESS_FRESH.toNanos()) {
      return known.progress();
    }
    if (kept.size() > PROGRESS_KEPT_MAX) {
      kept.clear();
    }
    Kept fresh =
        io.call(
            repository,
            () -> {
              Checkpoint newest = repository.storage().work().newestCheckpoint(fixId);
              return new Kept(newest == null ? null : newest.progress(), System.nanoTime());
            });
    kept.put(key, fresh);
    return fresh.progress();
  }

  static StorageException notFound(String imageId, String repoId) {
    return new StorageException(
        ErrorCode.IMAGE_NOT_FOUND,
        "there is no image " + imageId + " in repository " + repoId,
        imageId,
        "list the repository's images; among the removed ones it may be one that can be restored");
  }
}
