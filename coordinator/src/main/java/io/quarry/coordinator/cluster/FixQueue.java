package io.quarry.coordinator.cluster;

import io.quarry.coordinator.cluster.DirectoryView.Entry;
import java.time.Clock;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.stream.Collectors;

/**
 * The fixes of one repository that wait for a worker, and the claims on them. Agents can rebuild
 * the queue from the repository's log at any time. The queue decides nothing about data: the claim
 * epochs on the storage do. Runs on {@code quarry-queue-...} (listeners) and {@code
 * quarry-claims-...}.
 */
public final class FixQueue implements AutoCloseable {
  /** Per repository; further fixes wait with the SDM. */
  public static final int QUEUED_FIXES_MAX = 500;

  private static final Duration PERIOD = Duration.ofSeconds(10);
  private static final Comparator<QueuedFix> FIRST_TO_DO =
      Comparator.comparingInt((QueuedFix queued) -> -queued.fix().priority())
          .thenComparing(queued -> queued.fix().queuedAt())
          .thenComparing(QueuedFix::name);

  private final ClusterConnection connection;
  private final Supplier<String> nonces;
  private final QueueWriter writer;
  private final DirectoryView<FixEntry> fixes;
  private final DirectoryView<ClaimRecord> claims;
  private final ClaimKeeper keeper;
  private final Listeners<Runnable> listeners = new Listeners<>();
  private final ClusterLoop loop;

  /**
   * @param nonces unique names, letters and digits only
   */
  public FixQueue(
      ClusterConnection connection, String repositoryKey, Clock clock, Supplier<String> nonces) {
    this.connection = connection;
    Znodes znodes = connection.znodes();
    QueuePaths paths = new QueuePaths(znodes.fixes(repositoryKey), znodes.claims(repositoryKey));
    this.nonces = nonces;
    this.loop = new ClusterLoop(Threads.name("queue", repositoryKey), PERIOD, this::step);
    this.writer = new QueueWriter(connection.store(), paths);
    this.fixes = new DirectoryView<>(connection, paths.fixes(), loop::wake);
    this.claims = new DirectoryView<>(connection, paths.claims(), loop::wake);
    ClaimTaker taker = new ClaimTaker(connection, paths);
    ClaimSettler settler = new ClaimSettler(taker, writer, nonces);
    this.keeper = new ClaimKeeper(repositoryKey, taker, settler, fixes, claims, clock);
  }

  public void start() {
    loop.start(connection);
    keeper.start();
  }

  /** All queued fixes, claimed or not, the most urgent first. */
  public List<QueuedFix> entries() {
    return fixes.entries().values().stream().map(FixQueue::queued).sorted(FIRST_TO_DO).toList();
  }

  public Optional<QueuedFix> find(String fixId) {
    return fixes.entries().values().stream()
        .filter(entry -> entry.value().fixId().equals(fixId))
        .findAny()
        .map(FixQueue::queued);
  }

  /** Whether {@link #entries()} and {@link #claims()} are of the present connection. */
  public boolean current() {
    return fixes.current() && claims.current();
  }

  /** Queues a fix, unless it is queued already or there is no room. */
  public Enqueued enqueue(FixEntry fix) throws ClusterUnavailableException {
    return writer.enqueue(fix, nonces.get(), name -> List.of());
  }

  /**
   * Takes a fix out of the queue. A worker on the fix loses its claim.
   *
   * @return false if the fix was gone already
   */
  public boolean remove(QueuedFix fix) throws ClusterUnavailableException {
    return writer.remove(fix.name());
  }

  /** Claims a fix; empty if another host was faster or the fix has left the queue. */
  public Optional<QueueClaim> tryClaim(QueuedFix fix, Claimant claimant)
      throws ClusterUnavailableException {
    Optional<Entry<FixEntry>> entry = fixes.find(fix.name());
    return entry.isPresent() ? keeper.take(entry.get(), claimant) : Optional.empty();
  }

  /**
   * Takes over a claim whose owner is gone and whose znode has stayed behind. Succeeds only for
   * exactly the expected claim: a live owner changes the claim with each progress.
   */
  public Optional<QueueClaim> steal(QueuedFix fix, ObservedClaim expected, Claimant claimant)
      throws ClusterUnavailableException {
    Optional<Entry<FixEntry>> entry = fixes.find(fix.name());
    return entry.isPresent() && expected.name().equals(fix.name())
        ? keeper.steal(entry.get(), expected, claimant)
        : Optional.empty();
  }

  /** The claims, by {@link QueuedFix#name()}. */
  public Map<String, ObservedClaim> claims() {
    return claims.entries().values().stream()
        .collect(Collectors.toUnmodifiableMap(Entry::name, FixQueue::observed));
  }

  public Optional<ObservedClaim> claimOn(QueuedFix fix) {
    return claims.find(fix.name()).map(FixQueue::observed);
  }

  /** Calls the listener when entries or claims have changed; several changes may come as one. */
  public Subscription onChange(Runnable listener) {
    return listeners.add(listener);
  }

  /** Releases all claims that this agent holds here. */
  @Override
  public void close() {
    keeper.close();
    loop.close();
    fixes.close();
    claims.close();
  }

  private void step() throws ClusterUnavailableException {
    boolean queueChanged = fixes.step();
    boolean claimsChanged = claims.step();
    if (queueChanged || claimsChanged) {
      keeper.viewChanged();
      listeners.each(Runnable::run);
    }
  }

  private static QueuedFix queued(Entry<FixEntry> entry) {
    return new QueuedFix(entry.name(), entry.znode().version(), entry.value());
  }

  private static ObservedClaim observed(Entry<ClaimRecord> entry) {
    ClaimRecord claim = entry.value();
    return new ObservedClaim(
        entry.name(),
        claim.claimant(),
        claim.claimedAt(),
        Optional.ofNullable(claim.progress()),
        claim.fence(),
        entry.znode().version());
  }
}
