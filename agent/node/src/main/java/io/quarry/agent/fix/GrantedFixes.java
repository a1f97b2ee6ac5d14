package io.quarry.agent.fix;

import io.quarry.agent.repository.ConnectedRepository;
import io.quarry.agent.repository.Drain;
import io.quarry.coordinator.plan.FixState;
import io.quarry.coordinator.plan.FixState.Worker;
import io.quarry.coordinator.plan.RepositoryState;
import io.quarry.coordinator.thread.Loop;
import io.quarry.coordinator.thread.Supervisor;
import java.time.Duration;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;

/**
 * Runs the light fixes that the logs grant to this life of the host. The host needs no claim for
 * them. One thread looks for grants, and a few threads of each repository work.
 */
final class GrantedFixes implements AutoCloseable {
  private static final Duration ROUND = Duration.ofSeconds(1);
  private static final Duration TROUBLE_MIN = Duration.ofMillis(500);
  private static final Duration TROUBLE_MAX = Duration.ofSeconds(10);

  private final Worker self;
  private final Supplier<List<ConnectedRepository>> repositories;
  private final Drain drain;
  private final FixContext context;
  private final Map<String, RunningFix> running = new ConcurrentHashMap<>();
  private final Backoff pauses = new Backoff(TROUBLE_MIN, TROUBLE_MAX);
  private final GrantLedger ledger = new GrantLedger(pauses);
  private final Loop looker = new Loop("grants", ROUND, this::look);
  private volatile boolean closed;

  GrantedFixes(
      Worker self,
      Supplier<List<ConnectedRepository>> repositories,
      Drain drain,
      FixContext context) {
    this.self = self;
    this.repositories = repositories;
    this.drain = drain;
    this.context = context;
  }

  void start(Supervisor supervisor) {
    looker.start(supervisor);
  }

  void wake() {
    looker.wake();
  }

  Collection<RunningFix> running() {
    return running.values();
  }

  private void look() {
    if (drain.drained()) {
      // The SDM sees the drain, too, and grants this host's fixes to other hosts.
      return;
    }
    Set<String> held = new HashSet<>();
    for (ConnectedRepository repository : repositories.get()) {
      RepositoryState state = repository.state().repository();
      for (String fixId : state.work().heldBy(self.incarnation())) {
        held.add(GrantLedger.key(repository, fixId));
        FixState fix = Objects.requireNonNull(state.fixes().get(fixId));
        if (ledger.begin(repository, fix)) {
          begin(repository, fix);
        }
      }
    }
    ledger.retain(held);
    looker.wakeWithin(pauses.toNext());
  }

  private void begin(ConnectedRepository repository, FixState fix) {
    try {
      repository
          .lightWork()
          .execute(() -> work(repository, fix), () -> ledger.end(repository, fix, true));
    } catch (RuntimeException | Error e) {
      // No thread can be started: the grant stays this host's until the fix is done.
      var _ = ledger.end(repository, fix, true);
      throw e;
    }
  }

  private void work(ConnectedRepository repository, FixState fix) {
    FixState now = repository.state().repository().fixes().get(fix.id());
    if (closed
        || now == null
        || now.epoch() != fix.epoch()
        || !self.equals(now.worker())
        || ledger.isOverAfterTrouble(repository, now)) {
      var _ = ledger.end(repository, fix, false);
      return;
    }
    String key = GrantLedger.key(repository, fix.id());
    RunningFix run =
        new RunningFix(repository, now, self, now.epoch(), null, context, ignored -> {});
    running.put(key, run);
    FixExecution.End end = FixExecution.End.TROUBLE;
    try {
      // A drain that begins after put() sees this run; this check sees a drain that began before
      // put().
      end = drain.drained() ? FixExecution.End.LET_GO : FixExecution.run(run);
    } finally {
      running.remove(key);
      run.finished();
      boolean again = end == FixExecution.End.TROUBLE || end == FixExecution.End.LET_GO;
      if (ledger.end(repository, now, again)) {
        looker.wake();
      }
    }
  }

  /** Begins no more fixes. */
  @Override
  public void close() {
    closed = true;
    looker.close();
  }
}
