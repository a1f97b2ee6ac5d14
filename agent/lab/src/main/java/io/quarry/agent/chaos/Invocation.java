package io.quarry.agent.chaos;

import io.quarry.common.api.ErrorCode;
import org.jspecify.annotations.Nullable;

/**
 * One call under one request id, however often the call is repeated. One thread at a time uses it:
 * its customer's thread, later the thread that ends the run.
 */
final class Invocation {
  /** The outcome as the caller knows it. */
  enum Outcome {
    ACKNOWLEDGED,
    REFUSED,
    UNKNOWN
  }

  final String operation;
  final String repoId;
  final String requestId;
  private final long startNanos;
  private long endNanos;
  private int tries;
  private Outcome outcome = Outcome.UNKNOWN;
  private long commit;
  private @Nullable String id;
  private @Nullable ErrorCode code;

  /** How long the first try took, which is a caller's wait. */
  private long firstNanos;

  private boolean unknownAtFirst;
  private boolean lost;
  private long lostNanos;

  Invocation(String operation, String repoId, String requestId, long startNanos) {
    this.operation = operation;
    this.repoId = repoId;
    this.requestId = requestId;
    this.startNanos = startNanos;
  }

  void acknowledged(String givenId, long atCommit, long now) {
    ended(Outcome.ACKNOWLEDGED, now);
    id = givenId;
    commit = atCommit;
  }

  void refused(ErrorCode why, long now) {
    ended(Outcome.REFUSED, now);
    code = why;
  }

  void unknown(long now) {
    ended(Outcome.UNKNOWN, now);
    unknownAtFirst |= tries == 1;
    code = ErrorCode.OUTCOME_UNKNOWN;
    lost = true;
    lostNanos = now;
  }

  /** A later try was refused, while the earlier try whose answer was lost may be under way. */
  void stillUnknown(long now) {
    ended(Outcome.UNKNOWN, now);
  }

  /** Whether the outcome of any try is unknown. */
  boolean wasLost() {
    return lost;
  }

  /** When the last try with an unknown outcome ended. */
  long lostNanos() {
    return lostNanos;
  }

  private void ended(Outcome as, long now) {
    tries++;
    outcome = as;
    endNanos = now;
    if (tries == 1) {
      firstNanos = now - startNanos;
    }
  }

  Outcome outcome() {
    return outcome;
  }

  boolean unknownAtFirst() {
    return unknownAtFirst;
  }

  long commit() {
    return commit;
  }

  @Nullable String id() {
    return id;
  }

  @Nullable ErrorCode code() {
    return code;
  }

  long startNanos() {
    return startNanos;
  }

  long endNanos() {
    return endNanos;
  }

  long firstNanos() {
    return firstNanos;
  }

  int tries() {
    return tries;
  }

  @Override
  public String toString() {
    return operation + " in " + repoId + " (request " + requestId + ")";
  }
}
