package io.quarry.agent.fix;

import io.quarry.agent.repository.ConnectedRepository;
import io.quarry.agent.repository.Drain;
import io.quarry.agent.repository.Repository;
import io.quarry.common.api.TaskInfo;
import io.quarry.coordinator.cluster.Claimant;
import io.quarry.coordinator.cluster.ClusterUnavailableException;
import io.quarry.coordinator.cluster.HostRegistry;
import io.quarry.coordinator.cluster.ObservedClaim;
import io.quarry.coordinator.cluster.QueueClaim;
import io.quarry.coordinator.cluster.QueuedFix;
import io.quarry.coordinator.plan.FixState;
import io.quarry.coordinator.plan.FixState.Worker;
import io.quarry.coordinator.plan.RepositoryState;
import io.quarry.coordinator.thread.Loop;
import io.quarry.coordinator.thread.Supervisor;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeoutException;
import java.util.function.Predicate;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * This host's share of the fixes. The fix worker runs the light fixes that the log grants to this
 * host. The worker also claims heavy fixes from the queues of the connected repositories, as many
 * as it may, and runs them. One thread chooses, and one thread per fix works.
 */
public final class FixScheduler implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(FixScheduler.class);

  private static final Duration ROUND = Duration.ofSeconds(1);

  /** After this time the claim of an absent owner counts as left behind. */
  private static final Duration DANGLING = Duration.ofSeconds(30);

  /** After this host has let go of a fix, other hosts get the first chance. */
  private static final Duration AFTER_LETTING_GO = Duration.ofSeconds(5);

  /**
   * The pause between two looks whether there is room; fixes that write less go first meanwhile.
   */
  private static final Duration NO_SPACE = Duration.ofSeconds(2);

  private static final Duration TROUBLE_MIN = Duration.ofMillis(500);
  private static final Duration TROUBLE_MAX = Duration.ofMinutes(1);
  private static final long STOP_WAIT_MILLIS = 30_000;
  private static final String DRAINED = "the host is drained";
  private static final String STOPPING = "the agent is stopping";
  private static final String HANGS = "its storage does not answer";

  private final Worker self;
  private final int heavyFixesMax;
  private final Supplier<List<ConnectedRepository>> repositories;
  private final HostRegistry hosts;
  private final Drain drain;
  private final FixContext context;
  private final EpochClaim nextEpoch;
  private final Map<String, RunningFix> running = new ConcurrentHashMap<>();
  private final HeldClaims claims = new HeldClaims();

  private final FixSlots slots = new FixSlots();
  private final Backoff pauses = new Backoff(TROUBLE_MIN, TROUBLE_MAX);
  private final ExecutorService workers;
  private final GrantedFixes granted;
  private final Loop chooser = new Loop("fix-chooser", ROUND, this::choose);
  private final Supervisor supervisor;
  private volatile boolean closed;

  public FixScheduler(
      Worker self,
      int heavyFixesMax,
      Supplier<List<ConnectedRepository>> repositories,
      HostRegistry hosts,
      Drain drain,
      FixContext context,
      Supervisor supervisor) {
    this.self = self;
    this.heavyFixesMax = heavyFixesMax;
    this.repositories = repositories;
    this.hosts = hosts;
    this.drain = drain;
    this.context = context;
    this.nextEpoch = new EpochClaim(self, context, this::show);
    this.supervisor = supervisor;
    this.workers = Executors.newCachedThreadPool(supervisor.factory("fix"));
    this.granted = new GrantedFixes(self, repositories, drain, context);
  }

  public void start() {
    drain.onChange(this::wake);
    chooser.start(supervisor);
    granted.start(supervisor);
  }

  private void wake() {
    chooser.wake();
    granted.wake();
    slots.wake();
  }

  /** To be called for each repository that gets connected. */
  public void watch(ConnectedRepository repository) {
    repository.queue().onChange(chooser::wake);
    repository
        .replica()
        .onChange(state -> {
          granted.wake();
          stopUnwanted(repository, state.repository());
        });
    wake();
  }

  public int runningFixes() {
    return running.size() + granted.running().size();
  }

  /** The tasks that run on this host right now, without stuck ones, which other hosts continue. */
  public List<TaskInfo> tasks() {
    return all().filter(run -> !slots.isStuck(keyOf(run))).map(RunningFix::info).toList();
  }

  private Stream<RunningFix> all() {
    return Stream.concat(running.values().stream(), granted.running().stream());
  }

  /**
   * Asks a task of this host to let go and waits until it has.
   *
   * @return false when no such task runs here
   */
  public boolean letGo(String taskId, String reason) throws InterruptedException, TimeoutException {
    RunningFix run = all().filter(one -> one.taskId().equals(taskId)).findAny().orElse(null);
    if (run == null) {
      return false;
    }
    pauses.until(keyOf(run.repository(), run.fix().id()), AFTER_LETTING_GO);
    run.stop(reason);
    run.awaitEnd(STOP_WAIT_MILLIS);
    return true;
  }

  /** Lets go of all fixes, now that this host is drained; returns when no fix runs any more. */
  public void drain() throws InterruptedException, TimeoutException {
    stopAll(DRAINED);
    // A worker that is claiming a fix at that moment sees the drain by itself.
    if (!slots.awaitNone(drain::drained, STOP_WAIT_MILLIS)) {
      throw new TimeoutException(slots.size() + " tasks have not let go yet");
    }
  }

  private void stopAll(String reason) throws InterruptedException, TimeoutException {
    List<RunningFix> last = all().toList();
    last.forEach(run -> run.stop(reason));
    for (RunningFix run : last) {
      run.awaitEnd(STOP_WAIT_MILLIS);
    }
  }

  /** Lets go of all fixes that use a repository that is being disconnected. */
  public void release(ConnectedRepository repository)
      throws InterruptedException, TimeoutException {
    for (RunningFix run : all().toList()) {
      if (run.repository() == repository || run.needs(repository.key())) {
        run.stop("repository " + repository.repoId() + " is being disconnected");
        run.awaitEnd(STOP_WAIT_MILLIS);
      }
    }
  }

  /**
   * Stops fixes that a caller has paused or stopped, and fixes of images that a caller has removed.
   */
  private void stopUnwanted(ConnectedRepository repository, RepositoryState state) {
    for (RunningFix run : running.values()) {
      if (run.repository() == repository) {
        FixState fix = state.fixes().get(run.fix().id());
        if (fix == null || !fix.runnable()) {
          run.stop(
              fix == null
                  ? "it is no longer needed"
                  : fix.paused() ? "it was paused" : "it was stopped");
        }
      }
    }
  }

  private void choose() {
    giveUpStuck();
    for (Candidate candidate : candidates()) {
      claim(candidate);
    }
    chooser.wakeWithin(pauses.toNext());
  }

  /**
   * A thread that waits for a hanging storage cannot let go by itself. The next worker that claims
   * the fix has no proof that this worker is gone, and so begins a file of its own. What this
   * worker writes later reaches only the old file, which no image uses.
   */
  private void giveUpStuck() {
    Set<String> hung = keysOf(ConnectedRepository::givenUp);
    for (String key : claims.needing(hung)) {
      if (slots.stick(key)) {
        LOG.warn("Giving up the claim on {}: {}", key, HANGS);
        claims.release(key);
        RunningFix run = running.get(key);
        if (run != null) {
          run.stop(HANGS);
        }
      }
    }
  }

  private Set<String> keysOf(Predicate<ConnectedRepository> which) {
    return repositories.get().stream()
        .filter(which)
        .map(ConnectedRepository::key)
        .collect(Collectors.toSet());
  }

  /** A queued fix that this host could take now. */
  private record Candidate(
      ConnectedRepository repository, QueuedFix queued, @Nullable ObservedClaim dangling) {}

  private List<Candidate> candidates() {
    List<Candidate> all = new ArrayList<>();
    Set<String> keys = keysOf(ConnectedRepository::workable);
    if (closed || drain.drained()) {
      return all;
    }
    for (ConnectedRepository repository : repositories.get()) {
      Map<String, ObservedClaim> claimed = repository.queue().claims();
      for (QueuedFix queued : repository.queue().entries()) {
        ObservedClaim claim = claimed.get(queued.name());
        boolean free = claim == null || dangling(claim);
        if (free && possible(repository, queued, keys)) {
          all.add(new Candidate(repository, queued, claim));
        }
      }
    }
    all.sort(
        Comparator.comparingInt((Candidate one) -> -one.queued().fix().priority())
            .thenComparing(one -> one.queued().fix().queuedAt()));
    return all;
  }

  private boolean dangling(ObservedClaim claim) {
    return hosts.absentFor(claim.claimant().incarnation()).compareTo(DANGLING) > 0;
  }

  private boolean possible(ConnectedRepository repository, QueuedFix queued, Set<String> keys) {
    var fix = queued.fix();
    String key = keyOf(repository, fix.fixId());
    Duration early = Duration.between(context.clock().instant(), fix.notBefore());
    if (early.isPositive()) {
      pauses.atLeast(key, early);
    }
    return keys.containsAll(fix.requires()) && !slots.contains(key) && !pauses.pausing(key);
  }

  /** Reserves a place for the fix. The claim takes a while and happens on a worker's thread. */
  private void claim(Candidate candidate) {
    if (closed || slots.places() >= heavyFixesMax) {
      return;
    }
    String key = keyOf(candidate.repository(), candidate.queued().fix().fixId());
    if (!slots.add(key)) {
      return;
    }
    try {
      workers.execute(() -> claimAndWork(key, candidate));
    } catch (RuntimeException | Error e) {
      // No thread can be started: the next round finds the fix still free.
      slots.remove(key);
      throw e;
    }
  }

  private void claimAndWork(String key, Candidate candidate) {
    try {
      if (!fits(key, candidate)) {
        return;
      }
      Optional<QueueClaim> claim = claimInQueue(candidate);
      if (claim.isPresent()) {
        claims.add(key, claim.get());
        takeAndWork(key, candidate, claim.get());
      }
    } catch (ClusterUnavailableException e) {
      LOG.debug("Claiming {} has to wait: {}", key, e.toString());
    } finally {
      claims.remove(key);
      context.budget().release(candidate.repository(), candidate.queued().fix().fixId());
      slots.remove(key);
      chooser.wake();
    }
  }

  /** A fix without room for what it writes is not worth a claim. */
  private boolean fits(String key, Candidate candidate) {
    ConnectedRepository repository = candidate.repository();
    FixState fix = repository.state().repository().fixes().get(candidate.queued().fix().fixId());
    try {
      InsufficientSpace shortage = fix == null ? null : context.budget().reserve(repository, fix);
      if (shortage == null) {
        return true;
      }
      LOG.debug("{} is {}", key, shortage.text());
      pauses.until(key, NO_SPACE);
    } catch (IOException e) {
      LOG.warn("Could not see whether {} fits: {}", key, e.toString());
      pauses.trouble(key);
    }
    return false;
  }

  private Optional<QueueClaim> claimInQueue(Candidate candidate)
      throws ClusterUnavailableException {
    Claimant claimant = new Claimant(self.hostId(), self.incarnation());
    return candidate.dangling() == null
        ? candidate.repository().queue().tryClaim(candidate.queued(), claimant)
        : candidate.repository().queue().steal(candidate.queued(), candidate.dangling(), claimant);
  }

  private void takeAndWork(String key, Candidate candidate, QueueClaim claim) {
    String fixId = candidate.queued().fix().fixId();
    try {
      RunningFix run =
          drain.drained()
              ? null
              : nextEpoch.take(candidate.repository(), fixId, claim.fix().fix().failures());
      if (run == null) {
        pauses.until(key, TROUBLE_MIN);
        return;
      }
      running.put(key, run);
      stopIfTooLate(key, run);
      claim.onLost(reason -> LOG.debug("The queue's claim is gone, {}: {}", key, reason));
      show(run);
      work(key, run);
    } catch (IOException e) {
      LOG.warn("Could not take {}: {}", fixId, e.toString());
      pauses.trouble(key);
    } finally {
      claim.release();
    }
  }

  /**
   * A drain, a close or a hanging storage may have missed this run, since the run was not
   * registered yet. So the run looks for them here.
   */
  private void stopIfTooLate(String key, RunningFix run) {
    if (slots.isStuck(key)) {
      run.stop(HANGS);
    } else if (closed) {
      run.stop(STOPPING);
    } else if (drain.drained()) {
      run.stop(DRAINED);
    }
  }

  private void show(RunningFix run) {
    claims.show(keyOf(run), run.info());
  }

  private void work(String key, RunningFix run) {
    FixExecution.End end = FixExecution.End.TROUBLE;
    try {
      end = FixExecution.run(run);
    } finally {
      switch (end) {
        case OVER, FAILED -> pauses.forget(key);
        case LET_GO -> pauses.until(key, AFTER_LETTING_GO);
        case TROUBLE -> pauses.trouble(key);
      }
      running.remove(key);
      run.finished();
    }
  }

  private static String keyOf(RunningFix run) {
    return keyOf(run.repository(), run.fix().id());
  }

  private static String keyOf(Repository repository, String fixId) {
    return repository.key() + "/" + fixId;
  }

  /** Lets go of all fixes, at checkpoints. */
  @Override
  public void close() {
    closed = true;
    chooser.close();
    granted.close();
    try {
      stopAll(STOPPING);
    } catch (TimeoutException e) {
      LOG.warn("{}", e.getMessage());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    workers.shutdown();
  }
}
