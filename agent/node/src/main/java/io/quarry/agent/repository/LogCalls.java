package io.quarry.agent.repository;

import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.StorageException;
import io.quarry.coordinator.log.LogDamagedException;
import io.quarry.coordinator.log.LogState;
import io.quarry.coordinator.log.LogTooNewException;
import io.quarry.coordinator.log.Replica;
import io.quarry.coordinator.plan.Reply;
import io.quarry.coordinator.plan.Request;
import io.quarry.coordinator.plan.RequestId;
import io.quarry.coordinator.thread.Deadline;
import java.time.Duration;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Predicate;

/** Reads and commits of this host's callers in a repository's log. */
final class LogCalls {
  /** How long a read waits for a commit that the caller knows of. */
  private static final Duration CATCH_UP = Duration.ofSeconds(10);

  /** How long a read waits for a commit that this host alone has reported to a caller. */
  private static final Duration CATCH_UP_OWN = Duration.ofSeconds(1);

  /** How often a read that waits looks whether the storage hangs. */
  private static final Duration LOOK = Duration.ofMillis(250);

  private final String repoId;
  private final Replica replica;
  private final StorageMonitor pulse;
  private final StorageIdentity identity;
  private final Forwarder forwarder;

  /** The newest commit that this host has reported to a caller, on whichever host it was made. */
  private final AtomicLong newestTold = new AtomicLong();

  LogCalls(
      String repoId,
      Replica replica,
      StorageMonitor pulse,
      StorageIdentity identity,
      Forwarder forwarder) {
    this.repoId = repoId;
    this.replica = replica;
    this.pulse = pulse;
    this.identity = identity;
    this.forwarder = forwarder;
  }

  /**
   * The state with that commit, and with each commit that this host has reported to a caller: a
   * caller that asks the same agent again finds its new image. While the storage hangs, an agent
   * shows no state that is known to be old, since other hosts have a newer one.
   */
  LogState atLeast(long commit) {
    requireSound();
    long told = newestTold.get();
    replica.hint(Math.max(commit, told));
    LogState state = await(now -> now.sequence() >= commit, CATCH_UP);
    if (state.sequence() < commit) {
      throw new StorageException(
          ErrorCode.REPOSITORY_UNRESPONSIVE,
          "commit " + commit + " has not been seen on this host, the newest is " + state.sequence(),
          repoId,
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
   * The first state that fits; the latest state when the time is up. The call fails when the
   * storage is found to hang meanwhile.
   */
  LogState await(Predicate<LogState> fits, Duration timeout) {
    Deadline deadline = Deadline.after(timeout);
    while (true) {
      Duration left = deadline.remaining();
      LogState state = replica.await(fits, left.compareTo(LOOK) < 0 ? left : LOOK);
      if (left.isZero() || fits.test(state)) {
        return state;
      }
      pulse.requireResponsive();
    }
  }

  Reply commit(RequestId requestId, Request request) {
    requireSound();
    pulse.requireResponsive();
    Reply reply = forwarder.submit(requestId, request);
    newestTold.accumulateAndGet(reply.commit(), Math::max);
    replica.hint(reply.commit());
    return reply;
  }

  /** Commits a request that another agent forwarded; only if the SDM is here. */
  Reply commitHere(RequestId requestId, Request request) {
    pulse.requireResponsive();
    try {
      requireSound();
      return forwarder.here(requestId, request);
    } catch (StorageException e) {
      throw forOthers(e);
    } catch (TimeoutException e) {
      throw new StorageException(
          ErrorCode.OUTCOME_UNKNOWN,
          "the storage of " + repoId + " did not answer in time",
          requestId.value(),
          "repeat the call with the same request id",
          e);
    }
  }

  /**
   * A trouble of this host alone is no answer for callers of another host. An agent of the first
   * version knows no newer codes.
   */
  private StorageException forOthers(StorageException refusal) {
    boolean mine =
        refusal.code() == ErrorCode.STORAGE_MISMATCH || refusal.code() == ErrorCode.AGENT_TOO_OLD;
    boolean unknown =
        refusal.code() == ErrorCode.CHAIN_TOO_LONG
            && replica.state().repository().schema().features().isEmpty();
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
              "repository " + repoId + " is read-only, its log is damaged: " + damage.getMessage(),
              damage.file(),
              "restore that file from a backup or another copy, then disconnect and connect again",
              damage);
      case LogTooNewException tooNew -> throw tooNew.refusal();
      case null -> identity.requireSame();
    }
  }
}
