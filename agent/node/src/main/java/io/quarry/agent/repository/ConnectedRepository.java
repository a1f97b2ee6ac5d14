package io.quarry.agent.repository;

import io.quarry.agent.storage.RepositoryStorage;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.StorageException;
import io.quarry.coordinator.cluster.Candidate;
import io.quarry.coordinator.cluster.ClusterConnection;
import io.quarry.coordinator.cluster.ClusterIdentity;
import io.quarry.coordinator.cluster.ClusterUnavailableException;
import io.quarry.coordinator.cluster.Election;
import io.quarry.coordinator.cluster.ElectionListener;
import io.quarry.coordinator.cluster.FixQueue;
import io.quarry.coordinator.cluster.HeadHint;
import io.quarry.coordinator.cluster.HostRecord;
import io.quarry.coordinator.cluster.HostRegistry;
import io.quarry.coordinator.cluster.Subscription;
import io.quarry.coordinator.log.LogDamagedException;
import io.quarry.coordinator.log.LogState;
import io.quarry.coordinator.log.LogTooNewException;
import io.quarry.coordinator.log.LogUnreadableException;
import io.quarry.coordinator.log.Replica;
import io.quarry.coordinator.plan.EnableFeatures;
import io.quarry.coordinator.plan.Feature;
import io.quarry.coordinator.plan.FixState.Worker;
import io.quarry.coordinator.plan.Reply;
import io.quarry.coordinator.plan.Request;
import io.quarry.coordinator.plan.RequestId;
import io.quarry.coordinator.sdm.Sdm;
import io.quarry.coordinator.sdm.SdmListener;
import io.quarry.coordinator.thread.Deadline;
import io.quarry.coordinator.thread.Loop;
import io.quarry.coordinator.thread.Supervisor;
import java.io.IOException;
import java.time.Clock;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A repository that this host reaches, with all of its parts that run here. */
public final class ConnectedRepository implements Repository, AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(ConnectedRepository.class);

  /** How long a read waits for a commit that the caller knows of. */
  private static final Duration CATCH_UP = Duration.ofSeconds(10);

  /** How long a read waits for a commit that this host alone has reported to a caller. */
  private static final Duration CATCH_UP_OWN = Duration.ofSeconds(1);

  /** A host with that many terms that ended at once lets other hosts try. */
  private static final int SHORT_TERMS_MAX = 2;

  private static final Duration AGAIN = Duration.ofMillis(100);
  private static final Duration STAND_AGAIN = Duration.ofSeconds(3);

  /**
   * A commit that takes so long means that the storage hangs: a host whose storage answers is to
   * lead.
   */
  private static final Duration STUCK = Duration.ofSeconds(12);

  private static final Duration WATCH = Duration.ofMillis(250);

  /** How the caller connected the repository. */
  public record Identity(String repoId, String format, Map<String, String> parameters) {}

  /** What all repositories of an agent share. */
  public record Shared(
      ClusterConnection cluster,
      HostRegistry hosts,
      Candidate self,
      SubmitTransport transport,
      Drain drain,
      ClusterIdentity clusterIdentity,
      SeenHeads seen,
      Supervisor supervisor,
      Clock clock) {}

  private final Identity identity;
  private final Candidate self;
  private final RepositoryStorage storage;
  private final Replica replica;
  private final Sdm sdm;
  private final Election election;
  private final Candidacy candidacy;
  private final FixQueue queue;
  private final HeadHint head;
  private final Forwarder forwarder;
  private final QueueKeeper keeper;
  private final SpaceMeter space;
  private final StorageMonitor pulse;
  private final StorageIdentity storageIdentity;
  private final LightWork lightWork;
  private final AtomicInteger shortTerms = new AtomicInteger();

  /** The newest commit that this host has reported to a caller, wherever the commit was made. */
  private final AtomicLong newestTold = new AtomicLong();

  private final Loop terms;
  private final HostClock clock;
  private final Supervisor supervisor;
  private final HostRegistry hosts;
  private final Drain drain;
  private final Runnable drainChanged;
  private @Nullable Subscription hostsChanged;

  /** A host that became unfit to lead stays out of the election until this deadline. */
  private volatile Deadline standAgain = Deadline.after(Duration.ZERO);

  public ConnectedRepository(Identity identity, RepositoryStorage storage, Shared shared)
      throws IOException {
    this.identity = identity;
    this.self = shared.self();
    this.hosts = shared.hosts();
    this.clock = new HostClock(hosts);
    this.drain = shared.drain();
    this.storage = storage;
    String key = storage.genesis().key();
    String name = identity.repoId();
    String writer = writerOf(self.hostId(), self.incarnation());
    this.supervisor = shared.supervisor();
    this.terms = new Loop("terms-" + name, WATCH, this::watch);
    this.replica = new Replica(name, storage.slots());
    this.sdm = new Sdm(storage.slots(), replica, writer, shared.clock(), new Terms(), supervisor);
    this.election = new Election(shared.cluster(), key, self, new Votes());
    this.candidacy =
        new Candidacy(
            election,
            () -> drain.drained() && Drain.anotherIsReady(hosts.live(), self.incarnation(), key));
    this.queue =
        new FixQueue(
            shared.cluster(),
            key,
            shared.clock(),
            () -> UUID.randomUUID().toString().replace("-", ""));
    this.head = new HeadHint(shared.cluster(), key);
    this.storageIdentity =
        new StorageIdentity(
            new StorageIdentity.Subject(
                name, storage, replica, self.hostId(), writer, sdm::leading, this::isRegistered),
            head,
            shared.clusterIdentity(),
            shared.seen());
    this.pulse =
        new StorageMonitor(
            name,
            () -> {
              try {
                storage.ping("pulse." + self.incarnation());
              } finally {
                storageIdentity.look();
              }
            });
    this.lightWork = new LightWork(name, supervisor);
    this.forwarder =
        new Forwarder(
            name,
            key,
            self.incarnation(),
            sdm,
            election,
            pulse,
            shared.transport(),
            () -> replica.state().repository().schema().has(Feature.CALL_DIGESTS));
    this.keeper =
        new QueueKeeper(
            name,
            key,
            replica,
            queue,
            new Grants(
                this::ableHosts,
                shared.clock(),
                clock::doubtful,
                request -> sdm.submit(UUID.randomUUID().toString(), request)),
            shared.clock());
    this.space = new SpaceMeter(name, storage.volumes(), replica::state);
    this.drainChanged = this::hostsChanged;
  }

  /**
   * Refuses a storage that is not the one that the repository's SDM writes to. Call this before the
   * repository takes part.
   *
   * @param restored an operator says that the storage is the right one, although older than what
   *     this host has seen
   */
  public void prove(boolean restored) throws IOException, InterruptedException {
    storageIdentity.prove(restored);
  }

  private boolean isRegistered(String writer) {
    return hosts.live().stream()
        .anyMatch(host -> writerOf(host.hostId(), host.incarnation()).equals(writer));
  }

  /** The name of one life of a host in the log and in canaries. */
  private static String writerOf(String hostId, String incarnation) {
    return hostId + "@" + incarnation;
  }

  /** Takes part in the cluster from now on. */
  public void start() {
    replica.follow(supervisor);
    head.onHeadMoved(replica::hint);
    head.start();
    queue.start();
    queue.onChange(keeper::wake);
    hostsChanged = hosts.onChange(this::hostsChanged);
    drain.onChange(drainChanged);
    replica.onChange(state -> keeper.wake());
    election.onLeaderChange(forwarder::sdmChanged);
    candidacy.start(unfitNow());
    keeper.start(supervisor);
    space.start(supervisor);
    pulse.start(supervisor);
    terms.start(supervisor);
  }

  private void hostsChanged() {
    keeper.wake();
    candidacy.reconsider();
  }

  public Identity identity() {
    return identity;
  }

  @Override
  public String repoId() {
    return identity.repoId();
  }

  @Override
  public String key() {
    return storage.genesis().key();
  }

  @Override
  public RepositoryStorage storage() {
    return storage;
  }

  public Replica replica() {
    return replica;
  }

  /** Measures what the repository's volumes take of the storage. */
  public SpaceMeter space() {
    return space;
  }

  /** Tells whether the repository's storage answers. */
  public StorageMonitor pulse() {
    return pulse;
  }

  @Override
  public boolean responsive() {
    return pulse.responsive();
  }

  /** Whether the storage has not answered for so long that other hosts are to do the work. */
  public boolean givenUp() {
    return pulse.silence().compareTo(StorageMonitor.GIVE_UP) > 0;
  }

  /** Tells whether the storage is the one that the SDM writes to, as far as this host knows. */
  public StorageIdentity storageIdentity() {
    return storageIdentity;
  }

  /** Whether this host may work on the repository: the storage works, and is the right one. */
  public boolean workable() {
    return responsive()
        && pulse.fault() == null
        && storageIdentity.difference() == null
        && replica.unreadable() == null;
  }

  /** Threads for light fixes. */
  public LightWork lightWork() {
    return lightWork;
  }

  public FixQueue queue() {
    return queue;
  }

  /** Why this host must not commit, or null. */
  public @Nullable String whyUnfitToLead() {
    return candidacy.whyUnfit();
  }

  /** The host that commits, as far as known. */
  public Optional<Candidate> leader() {
    return election.leader();
  }

  /** The hosts that stand in the election, whose sessions live. */
  public List<Candidate> candidates() throws ClusterUnavailableException {
    return election.candidates();
  }

  /** Whether this host commits. */
  public boolean leading() {
    return sdm.leading();
  }

  /** The live hosts that reach the repository and take work. */
  private Set<Worker> ableHosts() {
    Set<Worker> able = new HashSet<>();
    if (!drain.drained() && workable()) {
      able.add(new Worker(self.hostId(), self.incarnation()));
    }
    for (HostRecord host : hosts.live()) {
      boolean other = !host.incarnation().equals(self.incarnation());
      if (other && !host.drained() && FixRequirements.reaches(host, key())) {
        able.add(new Worker(host.hostId(), host.incarnation()));
      }
    }
    return able;
  }

  @Override
  public LogState state() {
    return replica.state();
  }

  @Override
  public LogState refresh() throws IOException {
    return replica.refresh();
  }

  /**
   * The state that includes that commit, and all commits that this host has reported to callers. So
   * a caller that asks the agent again finds the image that the agent made. While the storage
   * hangs, a state that is known to be old is refused: other hosts have a newer one.
   */
  @Override
  public LogState atLeast(long commit) {
    requireSound();
    long told = newestTold.get();
    replica.hint(Math.max(commit, told));
    LogState state = await(now -> now.sequence() >= commit, CATCH_UP);
    if (state.sequence() < commit) {
      throw new StorageException(
          ErrorCode.REPOSITORY_UNRESPONSIVE,
          "commit " + commit + " has not been seen on this host, the newest is " + state.sequence(),
          repoId(),
          "repeat the call, or ask another agent");
    }
    if (state.sequence() < told) {
      state = await(now -> now.sequence() >= told, CATCH_UP_OWN);
    }
    if (replica.behind()) {
      pulse.requireResponsive();
    }
    return state;
  }

  /**
   * The first state that fits, or the latest one when the time is up. Fails when the storage hangs
   * meanwhile.
   */
  public LogState await(Predicate<LogState> fits, Duration timeout) {
    Deadline deadline = Deadline.after(timeout);
    while (true) {
      Duration left = deadline.remaining();
      LogState state = replica.await(fits, left.compareTo(WATCH) < 0 ? left : WATCH);
      if (left.isZero() || fits.test(state)) {
        return state;
      }
      pulse.requireResponsive();
    }
  }

  @Override
  public Reply commit(RequestId requestId, Request request) {
    requireSound();
    pulse.requireResponsive();
    Reply reply = forwarder.submit(requestId, request);
    newestTold.accumulateAndGet(reply.commit(), Math::max);
    replica.hint(reply.commit());
    return reply;
  }

  /** Commits a request that another agent forwarded. Fails unless the SDM is here. */
  public Reply commitHere(RequestId requestId, Request request) {
    pulse.requireResponsive();
    try {
      requireSound();
      return forwarder.here(requestId, request);
    } catch (StorageException e) {
      throw forOthers(e);
    } catch (TimeoutException e) {
      throw new StorageException(
          ErrorCode.OUTCOME_UNKNOWN,
          "the storage of " + repoId() + " did not answer in time",
          requestId.value(),
          "repeat the call with the same request id",
          e);
    }
  }

  /**
   * Translates a refusal that concerns this host alone for callers of other hosts. An agent of the
   * first version does not know the newer codes.
   */
  private StorageException forOthers(StorageException refusal) {
    boolean mine =
        refusal.code() == ErrorCode.STORAGE_MISMATCH || refusal.code() == ErrorCode.AGENT_TOO_OLD;
    boolean unknown =
        refusal.code() == ErrorCode.CHAIN_TOO_LONG
            && state().repository().schema().features().isEmpty();
    if (!mine && !unknown) {
      return refusal;
    }
    return new StorageException(
        mine ? ErrorCode.SDM_UNAVAILABLE : ErrorCode.IMAGE_BROKEN,
        String.valueOf(refusal.getMessage()),
        refusal.subject(),
        refusal.remedy(),
        refusal);
  }

  private void requireSound() {
    switch (replica.unreadable()) {
      case LogDamagedException damage ->
          throw new StorageException(
              ErrorCode.REPOSITORY_DAMAGED,
              "repository "
                  + repoId()
                  + " is read-only, its log is damaged: "
                  + damage.getMessage(),
              damage.file(),
              "restore that file from a backup or another copy, then disconnect and connect again",
              damage);
      case LogTooNewException tooNew -> throw tooNew.refusal();
      case null -> storageIdentity.requireSame();
    }
  }

  private final class Votes implements ElectionListener {
    @Override
    public void elected(long electionNumber) {
      shortTerms.set(0);
      sdm.lead();
    }

    @Override
    public void deposed(String reason) {
      sdm.stepDown(reason);
      keeper.rest();
    }
  }

  private final class Terms implements SdmListener {
    /** The last SDM may have written to another storage. */
    @Override
    public void beginning() throws IOException {
      storageIdentity.requireCanary();
    }

    @Override
    public void leading(LogState state) {
      head.publish(state.sequence());
      beginFeatures(state);
      keeper.lead();
      forwarder.sdmChanged();
    }

    @Override
    public void committed(LogState before, LogState after) {
      shortTerms.set(0);
      head.publish(after.sequence());
    }

    @Override
    public void steppedDown(String reason) {
      keeper.rest();
      forwarder.sdmChanged();
      if (terms.closed()) {
        return;
      }
      if (shortTerms.incrementAndGet() > SHORT_TERMS_MAX) {
        leaveElection(reason);
      }
      terms.wakeWithin(AGAIN);
    }
  }

  /** A new repository's genesis names its features; the first SDM writes them into the log. */
  private void beginFeatures(LogState state) {
    List<Feature> lacking = state.repository().schema().lacking(storage.genesis().features());
    if (!lacking.isEmpty()) {
      var _ = sdm.submit(UUID.randomUUID().toString(), new EnableFeatures(lacking));
    }
  }

  /**
   * Threads that wait for the storage cannot tell that the storage hangs. So another thread calls
   * this.
   */
  private void watch() {
    pulse.look();
    String reason = unfitNow();
    if (reason != null) {
      leaveElection(reason);
    } else if (candidacy.whyUnfit() != null && standAgain.passed()) {
      candidacy.fit();
    }
    // However its last term ended, a host that is elected leads.
    if (election.leading() && candidacy.stands()) {
      sdm.lead();
    }
  }

  /** Why this host must not lead at this moment, or null. */
  private @Nullable String unfitNow() {
    LogUnreadableException unreadable = replica.unreadable();
    if (unreadable != null) {
      return "its log cannot be read: " + unreadable.getMessage();
    }
    if (givenUp() || sdm.silence().compareTo(STUCK) > 0) {
      return "its storage does not answer";
    }
    String difference = storageIdentity.difference();
    if (difference != null) {
      return "its storage is another one: " + difference;
    }
    IOException fault = pulse.fault();
    return fault == null ? clock.whyUnfit() : "its storage fails: " + fault.getMessage();
  }

  private void leaveElection(String reason) {
    if (!clock.pending()) {
      standAgain = Deadline.after(STAND_AGAIN);
    }
    if (candidacy.unfit(reason)) {
      LOG.warn("Leaving the election of {} for now: {}", repoId(), reason);
    }
  }

  @Override
  public void close() {
    terms.close();
    if (hostsChanged != null) {
      hostsChanged.close();
    }
    drain.forget(drainChanged);
    space.close();
    pulse.close();
    lightWork.close();
    keeper.close();
    election.close();
    sdm.close();
    queue.close();
    head.close();
    replica.close();
    storage.close();
  }
}
