package io.quarry.agent.fix;

import io.quarry.agent.repository.ConnectedRepository;
import io.quarry.agent.repository.Repository;
import io.quarry.agent.storage.Checkpoint;
import io.quarry.agent.storage.RepositoryStorage;
import io.quarry.common.model.VolumeFormat;
import io.quarry.coordinator.cluster.ObservedClaim;
import io.quarry.coordinator.cluster.QueuedFix;
import io.quarry.coordinator.plan.FixState;
import io.quarry.coordinator.plan.Image;
import io.quarry.coordinator.plan.RepositoryState;
import io.quarry.coordinator.plan.Volume;
import java.io.IOException;
import java.time.Instant;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Keeps fixes that move data from filling a storage. A fix that would not fit beside the running
 * ones waits, so that guests can write and SDMs can commit. The budget records nothing: needs and
 * progress follow from files, and running fixes from claims. So any host comes to the same answer
 * at any time. Two hosts that begin at the same moment may both find room for one fix. A fix that
 * meets a full storage lets go at its checkpoint and waits.
 */
public final class SpaceBudget {
  /** The part of the storage that fixes leave to guests and to commits, within limits. */
  private static final long RESERVE_PART = 64;

  private static final long RESERVE_BYTES_MIN = 8L << 20;
  private static final long RESERVE_BYTES_MAX = 1L << 30;

  /** With less than this free, a full storage is the reason why a tool failed. */
  private static final long FULL_BYTES = 4L << 20;

  private final Function<String, Optional<Repository>> repositories;

  /**
   * Fixes that this host is about to claim or runs, by repository, in order. Each set is its own
   * lock.
   */
  private final Map<String, Set<String>> taken = new ConcurrentHashMap<>();

  /** Whether files of two repositories can share blocks, by the folders of both. */
  private final Map<String, Boolean> sharing = new ConcurrentHashMap<>();

  /**
   * @param repositories those connected here, by key
   */
  public SpaceBudget(Function<String, Optional<Repository>> repositories) {
    this.repositories = repositories;
  }

  /**
   * Sets room aside for a fix until {@link #release}.
   *
   * @return null when there is room; nothing is set aside otherwise
   */
  @Nullable InsufficientSpace reserve(ConnectedRepository repository, FixState fix)
      throws IOException {
    add(repository, fix.id());
    boolean fits = false;
    try {
      // The look takes no lock, since a source's storage may take long to answer.
      InsufficientSpace shortage = look(repository, fix.id()).shortage(fix);
      fits = shortage == null;
      return shortage;
    } finally {
      if (!fits) {
        release(repository, fix.id());
      }
    }
  }

  private void add(ConnectedRepository repository, String fixId) {
    Set<String> here = taken(repository);
    synchronized (here) {
      here.add(fixId);
    }
  }

  void release(ConnectedRepository repository, String fixId) {
    Set<String> here = taken(repository);
    synchronized (here) {
      here.remove(fixId);
    }
  }

  private Set<String> taken(ConnectedRepository repository) {
    return taken.computeIfAbsent(repository.key(), key -> new LinkedHashSet<>());
  }

  /**
   * The room for fixes that do not run yet. Call this only on a thread that may wait for storages.
   */
  public Room look(ConnectedRepository repository) throws IOException {
    return look(repository, "");
  }

  /**
   * The room for that fix. What later fixes have set aside does not count, or both fixes would
   * wait.
   */
  private Room look(ConnectedRepository repository, String exceptFixId) throws IOException {
    RepositoryState state = repository.state().repository();
    RepositoryStorage.Space space = repository.storage().space();
    long room = space.free() - reserve(space.capacity());
    for (String fixId : running(repository, exceptFixId)) {
      FixState fix = state.fixes().get(fixId);
      room -= fix == null ? 0 : stillToWrite(repository, state, fix);
    }
    return new Room(repository, state, space, room);
  }

  private Set<String> running(ConnectedRepository repository, String exceptFixId) {
    Set<String> running = new HashSet<>();
    Map<String, ObservedClaim> claims = repository.queue().claims();
    for (QueuedFix queued : repository.queue().entries()) {
      if (claims.containsKey(queued.name())) {
        running.add(queued.fix().fixId());
      }
    }
    Set<String> here = taken(repository);
    synchronized (here) {
      here.stream().takeWhile(fixId -> !fixId.equals(exceptFixId)).forEach(running::add);
    }
    running.remove(exceptFixId);
    return running;
  }

  /** The room for fixes of one repository at one moment. */
  public final class Room {
    private final ConnectedRepository repository;
    private final RepositoryState state;
    private final RepositoryStorage.Space space;
    private final long bytes;

    private Room(
        ConnectedRepository repository,
        RepositoryState state,
        RepositoryStorage.Space space,
        long bytes) {
      this.repository = repository;
      this.state = state;
      this.space = space;
      this.bytes = bytes;
    }

    /** Null when the fix fits. */
    public @Nullable InsufficientSpace shortage(FixState fix) throws IOException {
      if (!space.roomForFiles()) {
        return new InsufficientSpace(0, space.free(), true);
      }
      if (!fix.heavy()) {
        return space.free() < FULL_BYTES ? new InsufficientSpace(FULL_BYTES, space.free()) : null;
      }
      long needed = stillToWrite(repository, state, fix);
      return needed > 0 && needed > bytes
          ? new InsufficientSpace(needed, Math.max(0, bytes))
          : null;
    }
  }

  /** The bytes that the fix still writes, without what its newest epoch has stored. */
  private long stillToWrite(ConnectedRepository repository, RepositoryState state, FixState fix)
      throws IOException {
    long bytes = WriteEstimate.bytes(fix, repository, state, repositories);
    bytes -= bytes <= 0 ? 0 : takenOver(fix, repository, state);
    if (bytes <= 0
        || isShared(repository, state, state.volumes().get(String.valueOf(fix.volumeId())))) {
      return 0;
    }
    Checkpoint newest = repository.storage().work().newestCheckpoint(fix.id());
    String file = newest == null ? null : newest.file();
    long stored = file == null ? 0 : repository.storage().volumes().allocated(file);
    return Math.max(0, bytes - stored);
  }

  /** The bytes that a merge in place keeps using where they are. */
  private static long takenOver(FixState fix, ConnectedRepository repository, RepositoryState state)
      throws IOException {
    Volume better = state.volumes().get(String.valueOf(fix.volumeId()));
    Volume base = better == null ? null : state.mergeBase(better, Instant.MAX);
    return base == null || base.file() == null
        ? 0
        : repository.storage().volumes().allocated(base.file());
  }

  /**
   * Whether the storage shares the whole content with the source, so that the fix writes no data.
   */
  private boolean isShared(
      ConnectedRepository repository, RepositoryState state, @Nullable Volume volume)
      throws IOException {
    if (volume == null || volume.format() != VolumeFormat.RAW) {
      return false;
    }
    Image image = state.images().get(volume.imageId());
    if (volume.source() == null && image != null && state.layersOf(image).elsewhere() != null) {
      return false;
    }
    Optional<Repository> holder =
        volume.source() == null
            ? Optional.of(repository)
            : repositories.apply(volume.source().repositoryKey());
    return holder.isPresent() && shares(holder.get().storage(), repository.storage());
  }

  private boolean shares(RepositoryStorage from, RepositoryStorage to) throws IOException {
    String pair = from.place() + " " + to.place();
    Boolean known = sharing.get(pair);
    if (known == null) {
      known = to.sharesBlocks(from);
      sharing.put(pair, known);
    }
    return known;
  }

  static long reserve(long capacity) {
    return Math.clamp(capacity / RESERVE_PART, RESERVE_BYTES_MIN, RESERVE_BYTES_MAX);
  }

  /** Whether hardly a byte is free, or the storage can make no file. */
  static boolean isFull(RepositoryStorage storage) throws IOException {
    RepositoryStorage.Space space = storage.space();
    return space.free() < FULL_BYTES || !space.roomForFiles();
  }
}
