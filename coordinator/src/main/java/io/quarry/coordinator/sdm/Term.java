package io.quarry.coordinator.sdm;

import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.StorageException;
import io.quarry.coordinator.log.CommitLog;
import io.quarry.coordinator.log.CommitLog.Outcome;
import io.quarry.coordinator.log.LogState;
import io.quarry.coordinator.log.PutNotStartedException;
import io.quarry.coordinator.log.Replica;
import io.quarry.coordinator.log.SlotStore;
import java.io.IOException;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One host's time as SDM, from its term record to its end, as one method call. Everything queued
 * when a record is begun goes into it.
 */
final class Term {
  private static final Logger LOG = LoggerFactory.getLogger(Term.class);

  /** Requests in one record. */
  private static final int GROUP_REQUESTS_MAX = 512;

  private static final long IDLE_MILLIS = 100;

  private final String name;
  private final CommitLog log;
  private final SlotStore store;
  private final Replica replica;
  private final String writer;
  private final InstantSource clock;
  private final BlockingQueue<Submission> queue;
  private final SdmListener listener;
  private final CheckpointKeeper checkpoints;

  private volatile @Nullable String stopReason;
  private volatile boolean committing;

  Term(
      String name,
      CommitLog log,
      SlotStore store,
      Replica replica,
      String writer,
      InstantSource clock,
      BlockingQueue<Submission> queue,
      SdmListener listener) {
    this.name = name;
    this.log = log;
    this.store = store;
    this.replica = replica;
    this.writer = writer;
    this.clock = clock;
    this.queue = queue;
    this.listener = listener;
    this.checkpoints = new CheckpointKeeper(name, store);
  }

  void stop(String reason) {
    stopReason = reason;
  }

  boolean committing() {
    return committing;
  }

  /** Returns why the term ended. */
  String run() {
    try (checkpoints) {
      LogState state = begin();
      committing = true;
      while (stopReason == null) {
        List<Submission> group = nextGroup();
        if (!group.isEmpty()) {
          state = commit(state, group);
        }
      }
      return stopReason;
    } catch (EndOfTerm e) {
      return String.valueOf(e.getMessage());
    } catch (IOException e) {
      return "the storage failed: " + e.getMessage();
    } finally {
      committing = false;
    }
  }

  private static final class EndOfTerm extends Exception {
    private static final long serialVersionUID = 1L;

    EndOfTerm(String why) {
      super(why);
    }
  }

  private LogState begin() throws IOException, EndOfTerm {
    return switch (log.beginTerm(replica.state(), clock.instant())) {
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
      case Outcome.Unknown unknown ->
          throw new EndOfTerm(String.valueOf(unknown.cause().getMessage()));
    };
  }

  private List<Submission> nextGroup() throws EndOfTerm {
    List<Submission> group = new ArrayList<>();
    try {
      Submission first = queue.poll(IDLE_MILLIS, TimeUnit.MILLISECONDS);
      if (first != null) {
        group.add(first);
        queue.drainTo(group, GROUP_REQUESTS_MAX - 1);
      }
      return group;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new EndOfTerm("interrupted");
    }
  }

  private LogState commit(LogState state, List<Submission> group) throws EndOfTerm {
    Batch batch = new Batch(state, clock.instant());
    group.forEach(batch::plan);
    if (batch.entries().isEmpty()) {
      batch.answer();
      return state;
    }
    return switch (append(state, batch)) {
      case Outcome.Committed committed -> acknowledge(state, committed.state(), batch);
      case Outcome.NotCommitted not -> {
        if (not.cause() instanceof PutNotStartedException refused && refused.noSpace()) {
          yield commitRemovalsOnly(state, batch);
        }
        batch.fail(notCommitted(not.cause()));
        throw new EndOfTerm(String.valueOf(not.cause().getMessage()));
      }
      case Outcome.Unknown unknown -> {
        batch.fail(unknown(unknown.cause()));
        throw new EndOfTerm("a commit's outcome is unknown: " + unknown.cause().getMessage());
      }
    };
  }

  private Outcome append(LogState state, Batch batch) {
    try {
      return log.commit(state, batch.entries(), clock.instant());
    } catch (IOException e) {
      return new Outcome.Unknown(e);
    }
  }

  private LogState acknowledge(LogState before, LogState after, Batch batch) throws EndOfTerm {
    replica.advance(after);
    batch.answer();
    listener.committed(before, after);
    checkpoints.committed(after, batch.entries().size());
    if (!after.position().writer().equals(writer)) {
      throw new EndOfTerm("another SDM has begun a term");
    }
    return after;
  }

  /** The storage is full: what frees space is committed on the ballast, the rest is refused. */
  private LogState commitRemovalsOnly(LogState state, Batch full) throws EndOfTerm {
    List<Submission> removals =
        full.planned().stream().filter(one -> one.request().freesSpace()).toList();
    full.planned().stream()
        .filter(one -> !one.request().freesSpace())
        .forEach(one -> one.answer().completeExceptionally(noSpace()));
    if (removals.isEmpty() || !releaseBallast()) {
      full.fail(noSpace());
      return state;
    }
    Batch batch = new Batch(state, clock.instant());
    removals.forEach(batch::plan);
    Outcome outcome = batch.entries().isEmpty() ? null : append(state, batch);
    checkpoints.ballastUsed();
    if (outcome instanceof Outcome.Committed committed) {
      LogState after = acknowledge(state, committed.state(), batch);
      full.answer();
      return after;
    }
    batch.fail(noSpace());
    full.answer();
    if (outcome instanceof Outcome.Unknown unknown) {
      throw new EndOfTerm("a commit's outcome is unknown: " + unknown.cause().getMessage());
    }
    return state;
  }

  private boolean releaseBallast() {
    try {
      return store.releaseBallast();
    } catch (IOException e) {
      LOG.warn("Could not release the ballast of {}: {}", name, e.toString());
      return false;
    }
  }

  private StorageException noSpace() {
    return new StorageException(
        ErrorCode.NO_SPACE,
        "the storage of repository " + name + " is full",
        name,
        "remove images and run the clean fixes, or enlarge the storage; nothing was changed");
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
