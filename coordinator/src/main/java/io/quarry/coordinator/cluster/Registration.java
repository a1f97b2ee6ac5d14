package io.quarry.coordinator.cluster;

import io.quarry.coordinator.cluster.ClusterConnection.Attachment;
import io.quarry.coordinator.cluster.ZnodeStore.Outcome;
import io.quarry.coordinator.thread.Deadline;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import org.apache.zookeeper.KeeperException.Code;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps this agent's own ephemeral record: writes it, updates it, and writes it again in each new
 * session. The thread {@code quarry-register} does so, after the first write by the caller of
 * {@link #register}.
 */
final class Registration implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Registration.class);
  private static final Duration PERIOD = Duration.ofSeconds(5);

  /** The longest time between two comparisons of this host's clock with ZooKeeper's. */
  private static final Duration CLOCK_PERIOD = Duration.ofMinutes(1);

  private static final Duration UPDATE_PAUSE = Duration.ofMillis(200);

  private final ClusterConnection connection;
  private final Directory<HostRecord> hosts;
  private final Directory<DeathRecord> dead;
  private final Consumer<HostRejectedException> onRejected;
  private final ClusterLoop loop = new ClusterLoop("register", PERIOD, this::step);
  private final Subscription reconnected;
  private final OwnClock clock;

  /** One attempt at a time, so that two records never overtake each other. */
  private final Object attempts = new Object();

  private volatile @Nullable HostRecord desired;
  private @Nullable HostRecord written;
  private long writtenEpoch = -1;

  /** The reading of this host's clock in its record. */
  private @Nullable ClockReading shownClock;

  private Deadline clockDue = Deadline.after(Duration.ZERO);
  private volatile long writtenAtNanos = System.nanoTime() - UPDATE_PAUSE.toNanos();

  Registration(
      ClusterConnection connection,
      InstantSource clock,
      Consumer<HostRejectedException> onRejected) {
    this.connection = connection;
    this.clock = new OwnClock(clock);
    this.hosts = connection.znodes().hosts();
    this.dead = connection.znodes().dead();
    this.onRejected = onRejected;
    this.reconnected = connection.onReconnected(loop::wake);
  }

  void start() {
    loop.start(connection);
  }

  void register(HostRecord record) throws HostRejectedException, ClusterUnavailableException {
    synchronized (attempts) {
      desired = record;
      write(record);
    }
  }

  /** The present reading of this host's clock; empty before the first comparison. */
  Optional<ClockReading> clock() {
    return clock.reading();
  }

  /** The incarnation that is or will be registered, or null. */
  @Nullable String incarnation() {
    HostRecord record = desired;
    return record == null ? null : record.incarnation();
  }

  /** The set of registered hosts has changed: this agent may be missing. */
  void look() {
    loop.wake();
  }

  void update(HostRecord record) {
    desired = record;
    long since = System.nanoTime() - writtenAtNanos;
    loop.wakeWithin(Duration.ofNanos(Math.max(0, UPDATE_PAUSE.toNanos() - since)));
  }

  @Override
  public void close() {
    HostRecord record = desired;
    desired = null;
    reconnected.close();
    loop.close();
    if (record != null && connection.connected()) {
      leave(record);
    }
  }

  private void step() throws ClusterUnavailableException {
    HostRecord record = desired;
    Optional<Attachment> attachment = connection.attachment();
    if (record == null || attachment.isEmpty()) {
      return;
    }
    try {
      synchronized (attempts) {
        boolean done =
            record.equals(written)
                && writtenEpoch == attachment.get().epoch()
                && !clockIsNews()
                && isThere(record, attachment.get());
        // An agent that was rejected meanwhile must not register after all.
        if (!done && record.equals(desired)) {
          write(record);
        }
      }
    } catch (HostRejectedException rejected) {
      LOG.error("This agent is out of the cluster: {}", rejected.getMessage());
      onRejected.accept(rejected);
    }
  }

  /** Another client may have deleted the record: the session alone does not restore it. */
  private boolean isThere(HostRecord record, Attachment attachment)
      throws ClusterUnavailableException {
    boolean there =
        connection
            .store()
            .read(Deadline.after(ClusterConnection.CALL_DEADLINE), path(record))
            .filter(own -> own.owner() == attachment.sessionId())
            .isPresent();
    if (!there) {
      LOG.warn("The record of host {} is gone; registering it again", record.hostId());
    }
    return there;
  }

  private void write(HostRecord record) throws HostRejectedException, ClusterUnavailableException {
    writtenAtNanos = System.nanoTime();
    try {
      connection.store().<Boolean, HostRejectedException>retrying(d -> attempt(d, record));
      written = record;
    } catch (HostRejectedException rejected) {
      desired = null;
      throw rejected;
    }
  }

  private boolean attempt(Deadline deadline, HostRecord record)
      throws ClusterUnavailableException, HostRejectedException {
    Attachment attachment =
        connection
            .attachment()
            .orElseThrow(() -> new ClusterUnavailableException("no connection to ZooKeeper"));
    refuseIfBuried(deadline, record);
    OwnClock.Before before = clock.before();
    put(deadline, attachment, record.withClock(shownClock));
    compareClock(deadline, record, before, System.nanoTime());
    if (clockIsNews()) {
      shownClock = clock.reading().orElse(null);
      put(deadline, attachment, record.withClock(shownClock));
    }
    refuseIfNameIsTaken(deadline, record);
    writtenEpoch = attachment.epoch();
    return true;
  }

  private void compareClock(
      Deadline deadline, HostRecord record, OwnClock.Before before, long answeredNanos)
      throws ClusterUnavailableException {
    Optional<Znode> own = connection.store().read(deadline, path(record));
    if (own.isPresent()) {
      clock.compare(before, answeredNanos, own.get().modifiedMillis());
      clockDue = Deadline.after(CLOCK_PERIOD);
    }
  }

  /** Whether this host's clock must be published, or compared again. */
  private boolean clockIsNews() {
    Optional<ClockReading> now = clock.reading();
    ClockReading shown = shownClock;
    return clockDue.passed() || now.isEmpty() || shown == null || !now.get().agreesWith(shown);
  }

  private void put(Deadline deadline, Attachment attachment, HostRecord record)
      throws ClusterUnavailableException {
    ZnodeStore store = connection.store();
    String path = path(record);
    byte[] content = hosts.encode(record);
    while (true) {
      Optional<Znode> existing = store.read(deadline, path);
      Outcome outcome;
      if (existing.isEmpty()) {
        outcome = store.commit(deadline, Write.createEphemeral(path, content));
      } else if (existing.get().owner() == attachment.sessionId()) {
        outcome = store.commit(deadline, Write.replace(path, content, existing.get().version()));
      } else {
        // The record is of this agent's previous session, which is about to expire and would remove
        // it.
        outcome =
            store.commit(
                deadline,
                Write.delete(path, existing.get().version()),
                Write.createEphemeral(path, content));
      }
      if (outcome.done()) {
        return;
      }
      if (outcome.code() == Code.NONODE) {
        store.ensure(deadline, hosts.path());
      }
    }
  }

  private void refuseIfBuried(Deadline deadline, HostRecord record)
      throws ClusterUnavailableException, HostRejectedException {
    if (connection.store().read(deadline, dead.child(record.incarnation())).isPresent()) {
      removeOwn(deadline, record);
      throw new HostRejectedException(
          "This incarnation (%s) of host %s was declared dead; start the agent anew."
              .formatted(record.incarnation(), record.hostId()),
          record.incarnation());
    }
  }

  /**
   * Create first, look then: of two agents that start together, the one with the older node stays.
   */
  private void refuseIfNameIsTaken(Deadline deadline, HostRecord record)
      throws ClusterUnavailableException, HostRejectedException {
    ZnodeStore store = connection.store();
    String own = Znodes.hostName(record.hostId(), record.incarnation());
    List<String> namesakes =
        store
            .children(deadline, hosts.path())
            .map(ZnodeStore.Children::names)
            .orElse(List.of())
            .stream()
            .filter(name -> Znodes.hostIdOf(name).equals(record.hostId()))
            .toList();
    if (namesakes.size() <= 1) {
      return;
    }
    Map<String, Znode> nodes = store.readAll(deadline, hosts.path(), namesakes);
    Znode mine = nodes.get(own);
    for (var entry : nodes.entrySet()) {
      String incarnation = Znodes.incarnationOf(entry.getKey());
      boolean older = mine == null || entry.getValue().createdAt() < mine.createdAt();
      if (!entry.getKey().equals(own)
          && older
          && store.read(deadline, dead.child(incarnation)).isEmpty()) {
        removeOwn(deadline, record);
        throw new HostRejectedException(
            ("Host %s is registered already, by incarnation %s. Stop that agent, or wait until its"
                    + " session has ended, or confirm that it is dead.")
                .formatted(record.hostId(), incarnation),
            incarnation);
      }
    }
  }

  private void leave(HostRecord record) {
    try {
      removeOwn(Deadline.after(ClusterConnection.CALL_DEADLINE), record);
    } catch (ClusterUnavailableException unavailable) {
      LOG.debug("The record goes with the session: {}", unavailable.getMessage());
    }
  }

  private void removeOwn(Deadline deadline, HostRecord record) throws ClusterUnavailableException {
    ZnodeStore store = connection.store();
    Optional<Znode> own = store.read(deadline, path(record));
    while (own.isPresent()) {
      if (store.commit(deadline, Write.delete(path(record), own.get().version())).done()) {
        return;
      }
      own = store.read(deadline, path(record));
    }
  }

  private String path(HostRecord record) {
    return hosts.child(Znodes.hostName(record.hostId(), record.incarnation()));
  }
}
