package io.quarry.coordinator.sdm;

import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.StorageException;
import io.quarry.coordinator.log.CommitLog;
import io.quarry.coordinator.log.CommitLog.Outcome;
import io.quarry.coordinator.log.LogState;
import io.quarry.coordinator.log.LogUnreadableException;
import io.quarry.coordinator.log.PutNotStartedException;
import io.quarry.coordinator.log.Replica;
import io.quarry.coordinator.log.SlotStore.Reserve;
import io.quarry.coordinator.plan.Request;
import java.io.IOException;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One host's time as SDM, from its term record to its end, as one method call. A record takes all
 * requests that are queued when it begins, as far as there is {@link Batch#hasRoom room}.
 */
final class Term implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Term.class);

  private static final long IDLE_MILLIS = 100;

  private final String name;
  private final CommitLog log;
  private final CheckpointKeeper checkpoints;
  private final Replica replica;
  private final InstantSource clock;
  private final BlockingQueue<Submission> queue;
  private final SdmListener listener;

  private volatile @Nullable String stopReason;
  private volatile boolean committing;
  private volatile boolean over;

  /** When the term's thread last finished a piece of work. */
  private volatile long turnNanos = System.nanoTime();

  Term(
      CommitLog log,
      CheckpointKeeper checkpoints,
      Replica replica,
      InstantSource clock,
      BlockingQueue<Submission> queue,
      SdmListener listener) {
    this.name = replica.name();
    this.log = log;
    this.checkpoints = checkpoints;
    this.replica = replica;
    this.clock = clock;
    this.queue = queue;
    this.listener = listener;
  }

  void stop(String reason) {
    stopReason = reason;
  }

  boolean committing() {
    return committing;
  }

  /** Whether the term takes no more requests; a commit in progress is finished. */
  boolean ending() {
    return over || stopReason != null;
  }

  /** For how long the term has been at one piece of work: a hanging storage makes this grow. */
  Duration silence() {
    return Duration.ofNanos(System.nanoTime() - turnNanos);
  }

  /** Returns why the term ended. Close the term afterwards. */
  String run() {
    try {
      listener.beginning();
      LogState state = begin();
      committing = true;
      while (stopReason == null) {
        turnNanos = System.nanoTime();
        Submission first = first();
        if (first != null) {
          state = commit(state, first);
        }
      }
      return stopReason;
    } catch (EndOfTerm e) {
      return String.valueOf(e.getMessage());
    } catch (IOException e) {
      reportDamage(e);
      return "the storage failed: " + e.getMessage();
    } finally {
      committing = false;
      over = true;
    }
  }

  /** Waits for a checkpoint that is being written. */
  @Override
  public void close() {
    checkpoints.close();
  }

  private static final class EndOfTerm extends Exception {
    private static final long serialVersionUID = 1L;

    EndOfTerm(String why) {
      super(why);
    }
  }

  private LogState begin() throws IOException, EndOfTerm {
    Outcome outcome = log.beginTerm(replica.state(), clock.instant());
    while (lacksSpace(outcome) && checkpoints.releaseBallast(Reserve.ALL)) {
      outcome = log.beginTerm(replica.state(), clock.instant());
    }
    return switch (outcome) {
      case Outcome.Committed committed -> {
        LogState state = committed.state();
        LOG.info(
            "SDM of {} in term {} from commit {}", name, state.position().term(), state.sequence());
        checkpoints.begin(state);
        replica.advance(state);
        listener.leading(state);
        yield state;
      }
      case Outcome.NotCommitted not ->
          throw new EndOfTerm(String.valueOf(not.cause().getMessage()));
      case Outcome.Unknown unknown -> {
        reportDamage(unknown.cause());
        throw new EndOfTerm(String.valueOf(unknown.cause().getMessage()));
      }
    };
  }

  private @Nullable Submission first() throws EndOfTerm {
    try {
      return queue.poll(IDLE_MILLIS, TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new EndOfTerm("interrupted");
    }
  }

  /** Commits one record of the first request and further queued ones, as far as there is room. */
  private LogState commit(LogState state, Submission first) throws EndOfTerm {
    Batch batch = new Batch(state, clock.instant());
    try {
      @Nullable Submission next = first;
      while (next != null) {
        batch.plan(next);
        next = batch.hasRoom() ? queue.poll() : null;
      }
      Outcome outcome = append(state, batch);
      return lacksSpace(outcome)
          ? commitOnReserve(state, batch.submissions())
          : conclude(state, batch, outcome);
    } catch (RuntimeException | Error e) {
      batch.fail(unknown(new IOException("internal error: " + e, e)));
      throw e;
    }
  }

  /**
   * The storage is full. The term commits opens, and requests that free space, on the ballast. It
   * refuses the others, and opens as well once only half of the ballast is left.
   */
  private LogState commitOnReserve(LogState state, List<Submission> group) throws EndOfTerm {
    for (Reserve reserve : Reserve.values()) {
      Batch some = planned(state, group, noSpace(), request -> mayTake(request, reserve));
      Outcome outcome = append(state, some);
      while (lacksSpace(outcome) && checkpoints.releaseBallast(reserve)) {
        outcome = append(state, some);
      }
      if (!lacksSpace(outcome)) {
        return conclude(state, some, outcome);
      }
    }
    // Repeats are answered: their first try was committed when there was space.
    Batch none = planned(state, group, noReserve(), request -> false);
    return conclude(state, none, append(state, none));
  }

  private Batch planned(
      LogState state, List<Submission> group, StorageException full, Predicate<Request> admitted) {
    Batch batch = new Batch(state, clock.instant(), full, admitted);
    group.forEach(batch::plan);
    return batch;
  }

  private static boolean mayTake(Request request, Reserve reserve) {
    return request.freesSpace() || (reserve == Reserve.HALF && request.usesImages());
  }

  /** Refusals and repeats need no record, but must rest on the newest state. */
  private Outcome append(LogState state, Batch batch) {
    try {
      return batch.entries().isEmpty()
          ? log.confirm(state)
          : log.commit(state, batch.entries(), clock.instant());
    } catch (IOException e) {
      return new Outcome.Unknown(e);
    }
  }

  private static boolean lacksSpace(Outcome outcome) {
    return outcome instanceof Outcome.NotCommitted not
        && not.cause() instanceof PutNotStartedException refused
        && refused.noSpace();
  }

  private LogState conclude(LogState before, Batch batch, Outcome outcome) throws EndOfTerm {
    return switch (outcome) {
      case Outcome.Committed committed -> acknowledge(before, committed.state(), batch);
      case Outcome.NotCommitted not -> {
        batch.fail(notCommitted(not.cause()));
        throw new EndOfTerm(String.valueOf(not.cause().getMessage()));
      }
      case Outcome.Unknown unknown -> {
        reportDamage(unknown.cause());
        batch.fail(unknown(unknown.cause()));
        throw new EndOfTerm("a commit's outcome is unknown: " + unknown.cause().getMessage());
      }
    };
  }

  private LogState acknowledge(LogState before, LogState after, Batch batch) throws EndOfTerm {
    try {
      replica.advance(after);
    } finally {
      batch.answer();
    }
    if (after.sequence() == before.sequence()) {
      return after;
    }
    listener.committed(before, after);
    checkpoints.committed(after, batch.entries().size());
    if (!after.position().writer().equals(log.writer())) {
      throw new EndOfTerm("another SDM has begun a term");
    }
    return after;
  }

  /** A writer replays the log where a reader has no reason to. */
  private void reportDamage(IOException cause) {
    if (cause instanceof LogUnreadableException unreadable) {
      replica.report(unreadable);
    }
  }

  private StorageException noSpace() {
    return new StorageException(
        ErrorCode.NO_SPACE,
        "the storage of repository " + name + " is full",
        name,
        "remove images and run the clean fixes, or enlarge the storage; nothing was changed");
  }

  /** Even removals find no space, so removing images is no remedy. */
  private StorageException noReserve() {
    return new StorageException(
        ErrorCode.NO_SPACE,
        "the storage of repository " + name + " is full, and what it keeps for removals is used up",
        name,
        "delete files from the storage that are not the repository's, or enlarge the storage;"
            + " nothing was changed");
  }

  private StorageException notCommitted(IOException cause) {
    return new StorageException(
        ErrorCode.SDM_UNAVAILABLE,
        "repository " + name + " could not commit: " + cause.getMessage(),
        name,
        "nothing was changed; repeat the call with the same request id",
        cause);
  }

  private StorageException unknown(IOException cause) {
    return new StorageException(
        ErrorCode.OUTCOME_UNKNOWN,
        "repository " + name + " cannot tell whether it committed: " + cause.getMessage(),
        name,
        "repeat the call with the same request id to learn what became of it",
        cause);
  }
}
