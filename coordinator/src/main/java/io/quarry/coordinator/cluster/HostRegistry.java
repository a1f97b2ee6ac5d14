package io.quarry.coordinator.cluster;

import io.quarry.coordinator.cluster.DirectoryView.Entry;
import io.quarry.coordinator.thread.Deadline;
import java.time.Clock;
import java.time.Duration;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The live agents, and their connected repositories. Answers come from a local copy, which does not
 * change while ZooKeeper is unreachable.
 */
public final class HostRegistry implements AutoCloseable {
  /** How many proofs of death are kept; the oldest go first. */
  public static final int DEATH_PROOFS_MAX = 200;

  private static final Logger LOG = LoggerFactory.getLogger(HostRegistry.class);
  private static final Duration PERIOD = Duration.ofSeconds(5);

  private final ClusterConnection connection;
  private final Clock clock;
  private final Directory<DeathRecord> deadDirectory;
  private final DirectoryView<HostRecord> hosts;
  private final DirectoryView<DeathRecord> dead;
  private final Absences absences = new Absences();
  private final LastSeen lastSeen = new LastSeen();
  private final Listeners<HostListener> listeners = new Listeners<>();
  private final Registration registration;
  private final ClusterLoop loop = new ClusterLoop("hosts", PERIOD, this::step);

  public HostRegistry(ClusterConnection connection, Clock clock) {
    this.connection = connection;
    this.clock = clock;
    this.deadDirectory = connection.znodes().dead();
    this.hosts = new DirectoryView<>(connection, connection.znodes().hosts(), loop::wake);
    this.dead = new DirectoryView<>(connection, deadDirectory, loop::wake);
    this.registration = new Registration(connection, clock, this::rejected);
  }

  public void start() {
    loop.start(connection);
    registration.start();
  }

  /**
   * Registers this agent, now and by itself in every later session.
   *
   * @throws HostRejectedException when another agent with this host id is live and not proven dead,
   *     or this incarnation is proven dead
   * @throws ClusterUnavailableException when ZooKeeper does not answer; the agent is registered as
   *     soon as it does
   */
  public void register(HostRecord record)
      throws HostRejectedException, ClusterUnavailableException {
    registration.register(record);
  }

  /**
   * Replaces this agent's record soon. Updates are coalesced: call this as often as something
   * changes.
   */
  public void update(HostRecord record) {
    registration.update(record);
  }

  /** All hosts that are registered and not proven dead, by host id. */
  public List<HostRecord> live() {
    return hosts.entries().values().stream()
        .map(Entry::value)
        .filter(host -> dead.find(host.incarnation()).isEmpty())
        .sorted(Comparator.comparing(HostRecord::hostId))
        .toList();
  }

  public Optional<HostRecord> find(String hostId) {
    // The older one of two belongs to a previous life, and is about to vanish.
    return live().stream()
        .filter(host -> host.hostId().equals(hostId))
        .max(Comparator.comparing(HostRecord::startedAt));
  }

  /** The newest record of a host that may be gone by now. */
  public Optional<HostRecord> lastSeen(String hostId) {
    return lastSeen.of(hostId);
  }

  public boolean incarnationLive(String incarnation) {
    return live().stream().anyMatch(host -> host.incarnation().equals(incarnation));
  }

  /**
   * For how long the incarnation has not been registered, as far as this agent could see. Zero if
   * it is live, if ZooKeeper is unreachable, and right after a reconnect: other agents need a
   * moment to register again. Compare with a session timeout before stealing a claim.
   */
  public Duration absentFor(String incarnation) {
    if (!hosts.current() || incarnationLive(incarnation)) {
      return Duration.ZERO;
    }
    return absences.absentFor(incarnation);
  }

  /**
   * Whether there is a proof that this incarnation and all its children have ended. A proof, once
   * given, counts even while ZooKeeper is unreachable.
   */
  public boolean provenDead(String incarnation) throws ClusterUnavailableException {
    return dead.find(incarnation).isPresent()
        || connection
            .store()
            .retrying(
                deadline -> connection.store().read(deadline, deadDirectory.child(incarnation)))
            .isPresent();
  }

  /** Whether the local copy has a proof of that incarnation's death. */
  public boolean knownDead(String incarnation) {
    return dead.find(incarnation).isPresent();
  }

  /** Whether there is a recent proof that a life of this host has ended. */
  public boolean buried(String hostId) {
    return dead.entries().values().stream()
        .anyMatch(entry -> entry.value().hostId().equals(hostId));
  }

  /**
   * The znode that the guardian has to create, with its own connection, when the agent has ended.
   */
  public ProofOfDeath proofOfDeath(String hostId, String incarnation, String by) {
    Znodes.requireName(hostId, "host id");
    Znodes.requireName(incarnation, "incarnation");
    DeathRecord record = new DeathRecord(hostId, incarnation, by, clock.instant());
    return new ProofOfDeath(
        ZnodeStore.withParents(deadDirectory.path()),
        deadDirectory.child(incarnation),
        deadDirectory.encode(record));
  }

  /** Records that an incarnation has ended, on an administrator's word or a fencer's. */
  public void confirmDead(String hostId, String incarnation, String by)
      throws ClusterUnavailableException {
    ProofOfDeath proof = proofOfDeath(hostId, incarnation, by);
    ZnodeStore store = connection.store();
    store.retrying(deadline -> {
      store.ensure(deadline, deadDirectory.path());
      return store.commit(deadline, Write.create(proof.path(), proof.content()));
    });
    dead.refresh(incarnation);
  }

  /** Whether this agent registers, and its clock has not been compared with the others' yet. */
  public boolean clockPending() {
    return registration.incarnation() != null
        && (registration.clock().isEmpty() || hosts.loaded().isEmpty());
  }

  /**
   * This agent's clock compared with ZooKeeper's, when no other host's is known; otherwise empty.
   */
  public Optional<ClockReading> clockAlone() {
    String own = registration.incarnation();
    boolean alone =
        live().stream().allMatch(host -> host.incarnation().equals(own) || host.clock() == null);
    return alone ? registration.clock() : Optional.empty();
  }

  /** How far this agent's clock is certainly ahead of the live hosts'; negative when behind. */
  public Duration clockAhead() {
    String incarnation = registration.incarnation();
    return incarnation == null ? Duration.ZERO : clockAhead(incarnation);
  }

  /** The same for any live host; zero when its clock is unknown. */
  public Duration clockAhead(String incarnation) {
    Map<String, ClockReading> readings = new HashMap<>();
    for (HostRecord host : live()) {
      if (host.clock() != null) {
        readings.put(host.incarnation(), host.clock());
      }
    }
    String own = registration.incarnation();
    if (own != null) {
      registration.clock().ifPresent(reading -> readings.put(own, reading));
    }
    ClockReading asked = readings.get(incarnation);
    return asked == null ? Duration.ZERO : Clocks.ahead(asked, readings.values());
  }

  public Subscription onChange(HostListener listener) {
    return listeners.add(listener);
  }

  /** Removes this agent's record at once. */
  @Override
  public void close() {
    registration.close();
    loop.close();
    hosts.close();
    dead.close();
  }

  private void step() throws ClusterUnavailableException {
    boolean buried = dead.step();
    boolean changed = hosts.step();
    hosts
        .loaded()
        .ifPresent(loaded ->
            absences.note(
                loaded.atNanos(),
                hosts.entries().values().stream()
                    .map(entry -> entry.value().incarnation())
                    .toList()));
    hosts.entries().values().forEach(entry -> lastSeen.note(entry.value()));
    if (changed) {
      registration.look();
    }
    if (buried || changed) {
      listeners.each(HostListener::hostsChanged);
    }
    prune();
  }

  private void rejected(HostRejectedException why) {
    listeners.each(listener -> listener.rejected(why));
  }

  private void prune() throws ClusterUnavailableException {
    int surplus = dead.entries().size() - DEATH_PROOFS_MAX;
    if (surplus <= 0 || !dead.current()) {
      return;
    }
    List<Entry<DeathRecord>> oldest =
        dead.entries().values().stream()
            .sorted(
                Comparator.comparingLong((Entry<DeathRecord> entry) -> entry.znode().createdAt()))
            .limit(surplus)
            .toList();
    Deadline deadline = Deadline.after(ClusterConnection.CALL_DEADLINE);
    for (Entry<DeathRecord> entry : oldest) {
      // Several hosts prune at once; the second one finds nothing to delete, which is fine.
      String path = deadDirectory.child(entry.name());
      if (connection.store().commit(deadline, Write.delete(path, entry.znode().version())).done()) {
        LOG.debug("Dropped the old proof of death of {}", entry.name());
      }
    }
  }
}
