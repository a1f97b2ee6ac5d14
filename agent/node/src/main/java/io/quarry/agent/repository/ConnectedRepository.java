package io.quarry.agent.repository;

import io.quarry.agent.storage.RepositoryStorage;
import io.quarry.agent.storage.VolumeLog;
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
import io.quarry.coordinator.cluster.HostRegistry;
import io.quarry.coordinator.cluster.Subscription;
import io.quarry.coordinator.log.LogState;
import io.quarry.coordinator.log.Replica;
import io.quarry.coordinator.plan.EnableFeatures;
import io.quarry.coordinator.plan.Feature;
import io.quarry.coordinator.plan.FixState.Worker;
import io.quarry.coordinator.plan.HostBoot;
import io.quarry.coordinator.plan.Reply;
import io.quarry.coordinator.plan.Request;
import io.quarry.coordinator.plan.RequestId;
import io.quarry.coordinator.sdm.Sdm;
import io.quarry.coordinator.sdm.SdmListener;
import io.quarry.coordinator.thread.Loop;
import io.quarry.coordinator.thread.Supervisor;
import java.io.IOException;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A repository that this host reaches, with all of its parts that run here. */
public final class ConnectedRepository implements Repository, AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(ConnectedRepository.class);

  private static final Duration AGAIN = Duration.ofMillis(100);

  private static final Duration WATCH = Duration.ofMillis(250);

  private static final Duration TEND = Duration.ofSeconds(1);

  private static final Duration GROW = Duration.ofMillis(250);

  /** How the caller connected the repository. */
  public record Identity(String repoId, String format, Map<String, String> parameters) {}

  /**
   * What all repositories of an agent share.
   *
   * @param boot in which the host runs; null when the kernel does not say it
   */
  public record Shared(
      @Nullable HostBoot boot,
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
  private final LogCalls calls;
  private final QueueKeeper keeper;
  private final SpaceMeter space;
  private final StorageMonitor pulse;
  private final StorageIdentity storageIdentity;
  private final Fitness fitness;
  private final LightWork lightWork;
  private final Loop terms;
  private final HostClock clock;
  private final Supervisor supervisor;
  private final HostRegistry hosts;
  private final Drain drain;
  private final Runnable drainChanged;
  private final @Nullable HostBoot boot;
  private final Loop devices;
  private final Loop growth;
  private @Nullable Subscription hostsChanged;

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
    String writer = FixRequirements.writerOf(self.hostId(), self.incarnation());
    Worker worker = new Worker(self.hostId(), self.incarnation());
    this.supervisor = shared.supervisor();
    this.terms = new Loop("terms-" + name, WATCH, this::watch);
    this.replica = new Replica(name, storage.slots());
    this.sdm = new Sdm(storage.slots(), replica, writer, shared.clock(), new Terms(), supervisor);
    this.election = new Election(shared.cluster(), key, self, new Votes());
    this.candidacy =
        new Candidacy(
            name,
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
                name,
                storage,
                replica,
                self.hostId(),
                writer,
                sdm::leading,
                other -> FixRequirements.isLive(hosts.live(), other)),
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
    this.calls = new LogCalls(name, replica, pulse, storageIdentity, forwarder);
    this.fitness = new Fitness(replica, sdm, pulse, storageIdentity, clock);
    this.keeper =
        new QueueKeeper(
            name,
            key,
            replica,
            queue,
            new Grants(
                () ->
                    FixRequirements.able(hosts.live(), worker, !drain.drained() && workable(), key),
                pulse::responsive,
                System::nanoTime,
                shared.clock(),
                clock::doubtful,
                request -> sdm.submit(UUID.randomUUID().toString(), request)),
            shared.clock());
    this.space = new SpaceMeter(name, storage.volumes(), replica::state);
    this.drainChanged = this::hostsChanged;
    this.boot = shared.boot();
    this.devices = new Loop("devices-" + name, TEND, () -> look(storage::tend));
    this.growth = new Loop("growth-" + name, GROW, () -> look(storage::grow));
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
    if (storage.traits().devices()) {
      storage.useLog(new OwnLog(), self.hostId(), requireBoot());
    }
  }

  /** A device of an earlier boot is gone, and only the boot's id tells which devices are. */
  private HostBoot requireBoot() {
    if (boot == null) {
      throw new StorageException(
          ErrorCode.REPOSITORY_UNUSABLE,
          "the kernel of this host does not say in which boot it runs",
          identity.repoId(),
          "let the agent read /proc/sys/kernel/random/boot_id and /proc/stat");
    }
    return boot;
  }

  /** A look of the storage at its devices. */
  private interface Look {
    void at() throws IOException;
  }

  private void look(Look look) {
    try {
      look.at();
    } catch (IOException | StorageException e) {
      LOG.info("{} looks after its devices later: {}", identity.repoId(), e.getMessage());
    }
  }

  /** The log as the storage uses it. */
  private final class OwnLog implements VolumeLog {
    @Override
    public LogState state() {
      return replica.state();
    }

    @Override
    public LogState refresh() throws IOException {
      return replica.refresh();
    }

    @Override
    public LogState commit(Request request) {
      Reply reply = calls.commit(RequestId.of(UUID.randomUUID().toString()), request);
      return calls.atLeast(reply.commit());
    }
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
    candidacy.start(fitness.whyUnfit());
    keeper.start(supervisor);
    space.start(supervisor);
    pulse.start(supervisor);
    terms.start(supervisor);
    if (storage.traits().devices()) {
      devices.start(supervisor);
      growth.start(supervisor);
    }
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
    return fitness.givenUp();
  }

  /** Tells whether the storage is the one that the SDM writes to, as far as this host knows. */
  public StorageIdentity storageIdentity() {
    return storageIdentity;
  }

  /** Whether this host may work on the repository: the storage works, and is the right one. */
  public boolean workable() {
    return fitness.workable();
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

  @Override
  public LogState state() {
    return replica.state();
  }

  @Override
  public LogState refresh() throws IOException {
    return replica.refresh();
  }

  @Override
  public LogState atLeast(long commit) {
    return calls.atLeast(commit);
  }

  /** The first state that fits; the latest there is when the time is up. */
  public LogState await(Predicate<LogState> fits, Duration timeout) {
    return calls.await(fits, timeout);
  }

  @Override
  public Reply commit(RequestId requestId, Request request) {
    return calls.commit(requestId, request);
  }

  /** Commits a request that another agent forwarded. Fails unless the SDM is here. */
  public Reply commitHere(RequestId requestId, Request request) {
    return calls.commitHere(requestId, request);
  }

  private final class Votes implements ElectionListener {
    @Override
    public void elected(long electionNumber) {
      candidacy.lasted();
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
      candidacy.lasted();
      head.publish(after.sequence());
    }

    @Override
    public void steppedDown(String reason) {
      keeper.rest();
      forwarder.sdmChanged();
      if (terms.closed()) {
        return;
      }
      candidacy.ended(reason, !clock.pending());
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
    String reason = fitness.whyUnfit();
    if (reason != null) {
      candidacy.leave(reason, !clock.pending());
    } else {
      candidacy.comeBack();
    }
    // However its last term ended, a host that is elected leads.
    if (election.leading() && candidacy.stands()) {
      sdm.lead();
    }
  }

  @Override
  public void close() {
    terms.close();
    devices.close();
    growth.close();
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
