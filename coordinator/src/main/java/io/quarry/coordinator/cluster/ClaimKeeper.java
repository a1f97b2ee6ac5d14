package io.quarry.coordinator.cluster;

import io.quarry.coordinator.cluster.ClaimSettler.Settled;
import io.quarry.coordinator.cluster.ClusterConnection.Attachment;
import io.quarry.coordinator.cluster.DirectoryView.Entry;
import io.quarry.coordinator.cluster.ZnodeStore.Attempt;
import io.quarry.coordinator.cluster.ZnodeStore.Outcome;
import io.quarry.coordinator.thread.Deadline;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Looks after the claims of this agent, on the thread {@code quarry-claims-...}. Writes their
 * progress, restores them after lost sessions and rebuilt queues, and removes released ones. Also
 * removes claims that calls of unknown outcome may have left.
 */
final class ClaimKeeper implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(ClaimKeeper.class);
  private static final Duration PERIOD = Duration.ofSeconds(5);
  private static final Duration PROGRESS_PAUSE = Duration.ofMillis(500);

  /** A claim this old whose fix is gone has no holder: the name never comes back. */
  private static final Duration ORPHAN_AGE = Duration.ofMinutes(1);

  private final ClusterConnection connection;
  private final ClaimTaker taker;
  private final ClaimSettler settler;
  private final DirectoryView<FixEntry> fixes;
  private final DirectoryView<ClaimRecord> claims;
  private final Clock clock;
  private final ClusterLoop loop;
  private final Subscription reconnected;
  private final Map<String, QueueClaim> held = new ConcurrentHashMap<>();
  private final Set<QueueClaim> releasing = ConcurrentHashMap.newKeySet();

  /** Nonces of running attempts. */
  private final Set<String> attempting = ConcurrentHashMap.newKeySet();

  /** Nonces of attempts that ended without an answer, with the connection's epoch. */
  private final Map<String, Long> abandoned = new ConcurrentHashMap<>();

  private volatile boolean viewChanged;

  ClaimKeeper(
      String repositoryKey,
      ClaimTaker taker,
      ClaimSettler settler,
      DirectoryView<FixEntry> fixes,
      DirectoryView<ClaimRecord> claims,
      Clock clock) {
    this.connection = taker.connection();
    this.taker = taker;
    this.settler = settler;
    this.fixes = fixes;
    this.claims = claims;
    this.clock = clock;
    this.loop = new ClusterLoop(Threads.name("claims", repositoryKey), PERIOD, this::step);
    this.reconnected = connection.onReconnected(loop::wake);
  }

  void start() {
    loop.start(connection);
  }

  Optional<QueueClaim> take(Entry<FixEntry> fix, Claimant claimant)
      throws ClusterUnavailableException {
    ClaimRecord transaction = transaction(claimant);
    return attempt(transaction, deadline -> taker.take(deadline, fix, transaction, this::isOrphan));
  }

  Optional<QueueClaim> steal(Entry<FixEntry> fix, ObservedClaim expected, Claimant claimant)
      throws ClusterUnavailableException {
    ClaimRecord transaction = transaction(claimant);
    return attempt(transaction, deadline -> taker.steal(deadline, fix, transaction, expected));
  }

  void progressed() {
    loop.wake();
  }

  void release(QueueClaim claim) {
    if (claim.end("released")) {
      letGo(claim);
      loop.wake();
    }
  }

  /** The queue's copy has changed: compare the claims held here with it. */
  void viewChanged() {
    viewChanged = true;
    loop.wake();
  }

  /** Releases all claims that are still held. */
  @Override
  public void close() {
    held.values().forEach(this::release);
    reconnected.close();
    loop.close();
    try {
      if (connection.connected()) {
        removeReleased();
      }
    } catch (ClusterUnavailableException unavailable) {
      LOG.debug("The claims go with the session: {}", unavailable.getMessage());
    }
  }

  private ClaimRecord transaction(Claimant claimant) {
    return new ClaimRecord(claimant, settler.nonces().get(), clock.instant(), 0, null);
  }

  private Optional<QueueClaim> attempt(
      ClaimRecord transaction, Attempt<Optional<HeldClaim>, RuntimeException> attempt)
      throws ClusterUnavailableException {
    long epoch = taker.attached().epoch();
    attempting.add(transaction.nonce());
    try {
      Optional<QueueClaim> claim =
          connection
              .store()
              .retrying(attempt)
              .map(taken -> new QueueClaim(this, transaction.claimant(), taken));
      claim.ifPresent(mine -> held.put(transaction.nonce(), mine));
      return claim;
    } catch (ClusterUnavailableException unavailable) {
      abandoned.put(transaction.nonce(), epoch);
      throw unavailable;
    } finally {
      attempting.remove(transaction.nonce());
    }
  }

  private void step() throws ClusterUnavailableException {
    Optional<Attachment> attachment = connection.attachment();
    if (attachment.isEmpty()) {
      return;
    }
    boolean compare = viewChanged;
    viewChanged = false;
    removeReleased();
    for (QueueClaim claim : held.values()) {
      HeldClaim now = claim.held();
      if (now.epoch() != attachment.get().epoch() || (compare && differs(now))) {
        settle(claim);
      }
      writeProgress(claim);
    }
    if (compare) {
      sweep();
    }
  }

  private boolean differs(HeldClaim claim) {
    return fixes.find(claim.name()).isEmpty()
        || claims
            .find(claim.name())
            .filter(seen -> seen.value().sameAttempt(claim.record()))
            .isEmpty();
  }

  private void settle(QueueClaim claim) throws ClusterUnavailableException {
    Settled settled =
        connection.store().retrying(deadline -> settler.settle(deadline, claim.held()));
    switch (settled) {
      case Settled.Kept kept -> claim.hold(kept.claim());
      case Settled.Lost lost -> {
        LOG.info("Lost the claim on {}: {}", claim.held().name(), lost.reason());
        letGo(claim);
        if (claim.end(lost.reason())) {
          claim.tellLost(lost.reason());
        }
        removeReleased();
      }
    }
  }

  private void writeProgress(QueueClaim claim) throws ClusterUnavailableException {
    HeldClaim now = claim.held();
    Optional<String> wanted = claim.wantedProgress();
    if (!claim.valid() || wanted.isEmpty() || wanted.get().equals(now.record().progress())) {
      return;
    }
    Duration pause = claim.untilNextProgress(PROGRESS_PAUSE);
    if (pause.isPositive()) {
      loop.wakeWithin(pause);
      return;
    }
    ClaimRecord record = now.record().withProgress(wanted.get());
    claim.hold(now.doubtful());
    QueuePaths paths = taker.paths();
    Outcome outcome =
        connection
            .store()
            .commit(
                Deadline.after(ClusterConnection.CALL_DEADLINE),
                paths.stillFenced(now.name(), record.fence()),
                Write.replace(
                    paths.claim(now.name()), paths.claims().encode(record), now.version()));
    if (outcome.done()) {
      claim.hold(now.seen(record, now.version() + 1, now.epoch()));
    } else {
      loop.wake();
    }
  }

  private void letGo(QueueClaim claim) {
    releasing.add(claim);
    held.remove(claim.held().record().nonce());
  }

  private void removeReleased() throws ClusterUnavailableException {
    for (QueueClaim claim : List.copyOf(releasing)) {
      HeldClaim last = claim.held();
      connection.store().retrying(deadline -> taker.remove(deadline, last.name(), last.record()));
      releasing.remove(claim);
    }
  }

  /**
   * Removes claims without a holder: of this agent's abandoned attempts, and of fixes that are
   * gone.
   */
  private void sweep() throws ClusterUnavailableException {
    Deadline deadline = Deadline.after(ClusterConnection.CALL_DEADLINE);
    long orphanedBefore = clock.instant().minus(ORPHAN_AGE).toEpochMilli();
    for (Entry<ClaimRecord> claim : claims.entries().values()) {
      String nonce = claim.value().nonce();
      boolean orphan =
          fixes.current()
              && fixes.find(claim.name()).isEmpty()
              && claim.znode().modifiedMillis() < orphanedBefore;
      if (isOrphan(claim.value()) && (orphan || abandoned.containsKey(nonce))) {
        taker.remove(deadline, claim.name(), claim.value());
      }
    }
    // A claim that is missing in a later connection cannot appear any more.
    claims.loaded().ifPresent(state -> abandoned.values().removeIf(at -> at < state.epoch()));
  }

  /**
   * Whether this agent neither holds the claim nor is about to. A successful attempt is held before
   * it ends. So a look at the attempts first cannot miss both.
   */
  private boolean isOrphan(ClaimRecord claim) {
    return !attempting.contains(claim.nonce()) && !held.containsKey(claim.nonce());
  }
}
