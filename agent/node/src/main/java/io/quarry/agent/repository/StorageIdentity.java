package io.quarry.agent.repository;

import io.quarry.agent.storage.RepositoryStorage;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.StorageException;
import io.quarry.coordinator.cluster.Canary;
import io.quarry.coordinator.cluster.ClusterConnection;
import io.quarry.coordinator.cluster.ClusterIdentity;
import io.quarry.coordinator.cluster.ClusterUnavailableException;
import io.quarry.coordinator.cluster.HeadHint;
import io.quarry.coordinator.log.LogDamagedException;
import io.quarry.coordinator.log.LogTooNewException;
import io.quarry.coordinator.log.Position;
import io.quarry.coordinator.log.Replica;
import java.io.IOException;
import java.time.Duration;
import java.util.Optional;
import java.util.UUID;
import java.util.function.BooleanSupplier;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Whether the storage that this host has connected is the one that the repository's SDM writes to.
 * A copy of a repository has the repository's key, and a mount may show another directory than
 * yesterday. The SDM writes a canary on the storage and then shows the canary in ZooKeeper. Each
 * host looks for that canary on its own storage. What this host has seen of the log in earlier
 * lives counts as well.
 *
 * <p>{@link #look} runs on the repository's pulse; the other methods run on threads that may wait
 * for the storage.
 */
public final class StorageIdentity {
  private static final Logger LOG = LoggerFactory.getLogger(StorageIdentity.class);

  /** How often the SDM writes a canary. A copy that is younger cannot be told from the original. */
  static final Duration BEAT = Duration.ofSeconds(5);

  /** How long a shared filesystem may take to show a canary that ZooKeeper shows. */
  private static final Duration GRACE = Duration.ofSeconds(3);

  /** The longest time that any method here watches a storage for a beat. */
  public static final Duration WATCH_MAX = BEAT.plus(GRACE);

  private static final long LOOK_AGAIN_MILLIS = 100;

  /**
   * What this class needs to know of the repository on this host.
   *
   * @param writer of this life, as canaries and the log name it
   * @param registered whether that writer is in this cluster's ZooKeeper
   */
  record Subject(
      String repoId,
      RepositoryStorage storage,
      Replica replica,
      String hostId,
      String writer,
      BooleanSupplier leading,
      Predicate<String> registered) {
    String key() {
      return storage.genesis().key();
    }
  }

  private final Subject subject;
  private final HeadHint head;
  private final ClusterIdentity cluster;
  private final SeenHeads seen;

  /** Why the storage is another one; null while no difference is known. */
  private volatile @Nullable String difference;

  /** Why the path leads to another storage than the open one; null while it does not. */
  private volatile @Nullable String elsewhere;

  /** The SDM of another cluster that writes here; null when there is none. */
  private volatile @Nullable Canary intruder;

  // Only the pulse's thread uses these fields:
  private long beatNanos = System.nanoTime() - BEAT.toNanos();
  private @Nullable Canary written;
  private long missingSinceNanos;
  private boolean missing;
  private Position noted = Position.START;

  StorageIdentity(Subject subject, HeadHint head, ClusterIdentity cluster, SeenHeads seen) {
    this.subject = subject;
    this.head = head;
    this.cluster = cluster;
    this.seen = seen;
  }

  /** Why the storage is not the one that the SDM writes to; null when no difference is known. */
  public @Nullable String difference() {
    String found = elsewhere;
    return found == null ? difference : found;
  }

  /** The SDM of another cluster that writes to the storage, too; null when none is known. */
  public @Nullable Canary intruder() {
    return intruder;
  }

  void requireSame() {
    String found = difference();
    if (found != null) {
      throw refusal(found);
    }
  }

  private StorageException refusal(String found) {
    return new StorageException(
        ErrorCode.STORAGE_MISMATCH,
        "the storage of " + subject.repoId() + " is not the one that its SDM writes to: " + found,
        subject.storage().place(),
        "mount what belongs there; if it is a copy, disconnect it and run `quarry repo adopt` to"
            + " give it a key of its own; if it was restored, disconnect it and run `quarry repo"
            + " adopt --restored`");
  }

  /**
   * Call this before this host uses the repository.
   *
   * @param restored an operator says that the storage is the right one, although older than what
   *     this host has seen
   */
  void prove(boolean restored) throws IOException, InterruptedException {
    try {
      refuseAnotherCluster(cluster.read(() -> UUID.randomUUID().toString()));
    } catch (ClusterUnavailableException e) {
      LOG.info("Which cluster this is will be known when ZooKeeper answers: {}", e.toString());
    }
    switch (subject.replica().unreadable()) {
      case LogTooNewException tooNew -> throw tooNew.refusal();
      case LogDamagedException damage -> {
        // Calls report the damage. The log cannot be compared with what this host has seen.
        LOG.warn("Repository {} is connected damaged: {}", subject.repoId(), damage.getMessage());
        return;
      }
      case null -> {}
    }
    if (restored) {
      seen.believe(subject.key(), subject.replica().state().position());
      try {
        head.forget();
      } catch (ClusterUnavailableException e) {
        throw new IOException("ZooKeeper does not answer, and has to forget the newer state", e);
      }
      return;
    }
    Position before = seen.of(subject.key());
    switch (subject.replica().relation(before)) {
      case CONTINUES -> {}
      case BEHIND ->
          throw refusal(
              "its log ends with commit "
                  + subject.replica().state().sequence()
                  + ", and this host has seen commit "
                  + before.sequence());
      case DIFFERS ->
          throw refusal(
              "its commit " + before.sequence() + " is not the one that this host has seen");
    }
    String found = missingCanary();
    if (found != null) {
      throw refusal(found);
    }
  }

  /** Requires, before this host leads, that its storage has what the last SDM wrote. */
  void requireCanary() throws IOException {
    try {
      difference = missingCanary();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted while looking for the last SDM's canary", e);
    }
    if (difference != null) {
      throw new IOException("it is another one: " + difference);
    }
  }

  /** Waits a moment for a canary that a shared filesystem may show late. */
  private @Nullable String missingCanary() throws IOException, InterruptedException {
    long deadline = System.nanoTime() + GRACE.toNanos();
    while (true) {
      Optional<Canary> shown;
      try {
        shown = head.readCanary();
      } catch (ClusterUnavailableException e) {
        // Without ZooKeeper a host goes on leading, unless it found its storage to be another one.
        return difference;
      }
      if (shown.isEmpty()) {
        return difference;
      }
      if (isHere(shown.get())) {
        return null;
      }
      if (System.nanoTime() - deadline > 0) {
        return describe(shown.get());
      }
      Thread.sleep(LOOK_AGAIN_MILLIS);
    }
  }

  private boolean isHere(Canary shown) throws IOException {
    return subject.storage().canaries().stream()
        .anyMatch(found ->
            found.equals(shown)
                || (found.cluster().equals(shown.cluster()) && found.isNewerThan(shown)));
  }

  /** The canary of the newest term that has beaten here; null when there never was one. */
  private static @Nullable Canary newest(RepositoryStorage storage) throws IOException {
    @Nullable Canary newest = null;
    for (Canary each : storage.canaries()) {
      newest = newest == null || each.isNewerThan(newest) ? each : newest;
    }
    return newest;
  }

  private static String describe(Canary shown) {
    return "it lacks what " + shown.writer() + " wrote last in term " + shown.term();
  }

  /**
   * Refuses a repository that is in use in another cluster. A repository may move to another
   * cluster, but the other cluster's SDM would go on beating.
   */
  private void refuseAnotherCluster(String own) throws IOException, InterruptedException {
    Canary first = newest(subject.storage());
    if (first == null || first.cluster().equals(own)) {
      return;
    }
    Canary now = nextBeat(subject.storage(), first);
    if (now != null && !now.cluster().equals(own) && !isRegistered(now.writer())) {
      throw new StorageException(
          ErrorCode.REPOSITORY_IN_USE,
          "another cluster uses this storage: its SDM " + now.writer() + " writes to it",
          subject.storage().place(),
          "disconnect the repository in the other cluster first, or use one ZooKeeper for both");
    }
  }

  /**
   * Whether ZooKeeper lists the writer, which makes it a member of this cluster. After a wipe of
   * ZooKeeper the first agent names the cluster anew. An SDM that still leads may not know the new
   * name, or not be registered again.
   */
  private boolean isRegistered(String writer) throws InterruptedException {
    long deadline = System.nanoTime() + WATCH_MAX.toNanos();
    while (!subject.registered().test(writer)) {
      if (System.nanoTime() - deadline > 0) {
        return false;
      }
      Thread.sleep(LOOK_AGAIN_MILLIS);
    }
    return true;
  }

  /**
   * Refuses a storage that any SDM writes to. Also refuses one that has all that the cluster knows
   * of the repository: only a copy lacks the original's last beat.
   */
  public static void requireCopy(RepositoryStorage storage, ClusterConnection cluster)
      throws IOException, InterruptedException {
    try (HeadHint head = new HeadHint(cluster, storage.genesis().key())) {
      Optional<Canary> shown = head.readCanary();
      boolean original =
          shown.isPresent()
              ? storage.canaries().contains(shown.get())
              : head.readHead().isPresent();
      if (original) {
        throw new StorageException(
            ErrorCode.REPOSITORY_IN_USE,
            "this storage may be the original: it has all that the cluster knows of the repository",
            storage.place(),
            "give the directory of the copy, or connect the original first and wait for "
                + BEAT.toSeconds()
                + " s");
      }
    } catch (ClusterUnavailableException e) {
      throw new StorageException(
          ErrorCode.CLUSTER_UNAVAILABLE,
          "whether this storage is a copy cannot be told while ZooKeeper does not answer",
          storage.place(),
          "repeat the call when ZooKeeper answers",
          e);
    }
    Canary first = newest(storage);
    Canary now = first == null ? null : nextBeat(storage, first);
    if (now != null) {
      throw new StorageException(
          ErrorCode.REPOSITORY_IN_USE,
          "this storage is in use, and no copy: the SDM " + now.writer() + " writes to it",
          storage.place(),
          "give the directory of the copy");
    }
  }

  /** The next canary after that one; null when none comes in the time of a beat. */
  private static @Nullable Canary nextBeat(RepositoryStorage storage, Canary first)
      throws IOException, InterruptedException {
    long deadline = System.nanoTime() + WATCH_MAX.toNanos();
    while (System.nanoTime() - deadline < 0) {
      Canary now = newest(storage);
      if (now != null && !now.equals(first)) {
        return now;
      }
      Thread.sleep(LOOK_AGAIN_MILLIS);
    }
    return null;
  }

  /** Writes a canary while this host leads, and looks for the SDM's canary otherwise. */
  void look() throws IOException {
    lookAtPath();
    if (elsewhere != null) {
      return;
    }
    noteSeen();
    if (subject.leading().getAsBoolean()) {
      missing = false;
      if (lacksOwn()) {
        beatNanos = System.nanoTime() - BEAT.toNanos();
      }
      beat();
      difference = lacksOwn() ? "its path leads to another directory than before" : null;
      return;
    }
    written = null;
    Optional<Canary> shown = head.canary();
    if (shown.isEmpty()) {
      // Silence is no proof: a storage that was found to be another one stays one.
      missing = false;
      return;
    }
    if (isHere(shown.get())) {
      missing = false;
      difference = null;
      return;
    }
    long now = System.nanoTime();
    missingSinceNanos = missing ? missingSinceNanos : now;
    missing = true;
    if (now - missingSinceNanos > GRACE.toNanos() && difference == null) {
      difference = describe(shown.get());
      LOG.error("Repository {}: {}", subject.repoId(), difference);
    }
  }

  /**
   * Case 12.3: the storage seemed healthy, but tools that get paths worked on the root filesystem.
   */
  private void lookAtPath() throws IOException {
    String key = subject.storage().keyAtPlace();
    String found = null;
    if (key == null) {
      found =
          "its path leads to no repository any more: it was unmounted, moved, mounted over, or its"
              + " file server has withdrawn the export";
    } else if (!key.equals(subject.key())) {
      found = "its path leads to another repository";
    }
    if (found != null && elsewhere == null) {
      LOG.error("Repository {}: {}", subject.repoId(), found);
    }
    elsewhere = found;
  }

  /** The open folders stay the same whatever is mounted over the path, but tools get the path. */
  private boolean lacksOwn() throws IOException {
    Canary last = written;
    return last != null && !subject.storage().canaries().contains(last);
  }

  private void beat() throws IOException {
    long now = System.nanoTime();
    long term = subject.replica().state().position().term();
    Canary last = written;
    boolean sameTerm = last != null && last.term() == term;
    if (sameTerm && now - beatNanos < BEAT.toNanos()) {
      return;
    }
    String own = cluster.known();
    Canary found = newest(subject.storage());
    boolean foreign =
        found != null
            && sameTerm
            && !found.writer().equals(subject.writer())
            && !found.cluster().equals(own);
    intruder = foreign ? found : null;
    long number = last != null && sameTerm ? last.beat() + 1 : 1;
    Canary next = new Canary(own, subject.writer(), term, number, UUID.randomUUID().toString());
    subject.storage().writeCanary(subject.hostId(), next);
    written = next;
    beatNanos = now;
    head.publish(next);
  }

  /** A full state directory must not end the beat. */
  private void noteSeen() {
    Position newest = subject.replica().state().position();
    if (difference != null || newest.sequence() <= noted.sequence()) {
      return;
    }
    try {
      seen.note(subject.key(), newest);
      noted = newest;
    } catch (IOException | StorageException e) {
      LOG.debug("What this host has seen of {} is not noted: {}", subject.repoId(), e.toString());
    }
  }
}
