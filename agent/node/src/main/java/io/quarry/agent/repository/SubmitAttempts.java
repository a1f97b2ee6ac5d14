package io.quarry.agent.repository;

import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.StorageException;
import io.quarry.coordinator.plan.CancelRequest;
import io.quarry.coordinator.plan.Reply;
import io.quarry.coordinator.plan.Request;
import io.quarry.coordinator.plan.RequestId;
import java.util.EnumSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The tries of one request. When a try may have been committed, the refusal of a later try is no
 * proof: a paused host may still commit the earlier one. So this class cancels the request in the
 * log before the caller gets the refusal.
 */
public final class SubmitAttempts {
  /** Conditions that pass; such a code must not be the answer to all tries for ever. */
  private static final Set<ErrorCode> PASSING =
      EnumSet.of(
          ErrorCode.NO_SPACE,
          ErrorCode.INTERNAL,
          ErrorCode.REPOSITORY_DAMAGED,
          ErrorCode.STORAGE_MISMATCH,
          ErrorCode.AGENT_TOO_OLD);

  /** The outcome of one try: an answer, or the reason why there is none. */
  public record Outcome(@Nullable Reply reply, boolean maybeCommitted, @Nullable String why) {
    public static Outcome of(Reply reply) {
      return new Outcome(reply, false, null);
    }

    public static Outcome nothing(@Nullable String why) {
      return new Outcome(null, false, why);
    }

    public static Outcome unknown(@Nullable String why) {
      return new Outcome(null, true, why);
    }
  }

  /** Brings a request to the SDM, once. */
  @FunctionalInterface
  public interface Try {
    /**
     * @throws StorageException a refusal of this try
     */
    Outcome of(Request request);
  }

  private final RequestId requestId;
  private final Request request;
  private Request asked;
  private @Nullable StorageException refusal;
  private boolean maybeCommitted;
  private String why = "no host leads it";

  public SubmitAttempts(RequestId requestId, Request request) {
    this.requestId = requestId;
    this.request = request;
    this.asked = request;
  }

  /**
   * The answer; null when the caller is to try again.
   *
   * @throws StorageException a refusal after which no try can be committed any more
   */
  public @Nullable Reply once(Try next) {
    Outcome outcome;
    try {
      outcome = next.of(asked);
    } catch (StorageException e) {
      refused(e);
      return null;
    }
    Reply reply = outcome.reply();
    if (reply == null) {
      maybeCommitted |= outcome.maybeCommitted();
      why = outcome.why() == null ? why : outcome.why();
      return null;
    }
    if (refusal != null && CancelRequest.made(reply)) {
      throw refusal;
    }
    return reply.repeated(requestId, request);
  }

  private void refused(StorageException e) {
    // An id that belongs to another request proves that no try of this one was committed.
    if (!maybeCommitted || e.code() == ErrorCode.REQUEST_ID_REUSED) {
      throw e;
    }
    why = String.valueOf(e.getMessage());
    if (!PASSING.contains(e.code()) && !(asked instanceof CancelRequest)) {
      refusal = e;
      asked = new CancelRequest(e.code());
    }
  }

  /** Whether a try may have been committed, or may still be. */
  public boolean maybeCommitted() {
    return maybeCommitted;
  }

  /** Why the last try had no answer. */
  public String why() {
    return why;
  }
}
