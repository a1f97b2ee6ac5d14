package io.quarry.coordinator.plan;

import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.StorageException;
import org.jspecify.annotations.Nullable;

/**
 * The answer to a request, the first time and at every repeat.
 *
 * @param operation the request's kind: a request id belongs to one operation
 * @param id the entity that was created or changed
 * @param commit the sequence number of the record that holds the answer
 * @param digest of the call that was answered, in logs with {@link Feature#CALL_DIGESTS}; null for
 *     requests that an agent made itself
 */
public record Reply(String operation, String id, long commit, @Nullable String digest) {
  public Reply {
    // A state remembers hundreds of thousands of replies, with few different operations.
    operation = operation.intern();
  }

  public Reply(String operation, String id, long commit) {
    this(operation, id, commit, null);
  }

  /** The same reply, bound to the call. */
  public Reply to(RequestId call) {
    return call.digest() == null ? this : new Reply(operation, id, commit, call.digest());
  }

  /** This answer, for a repeat with the same request id. Refuses another call with that id. */
  public Reply repeated(RequestId call, Request asked) {
    return repeated(call, asked.operation(), asked.answeredWith());
  }

  /** This answer, for a repeat of that operation with the same request id. */
  public Reply repeated(RequestId call, String asked) {
    return repeated(call, asked, null);
  }

  /**
   * This answer, for a repeat of that operation with the same request id.
   *
   * @param target the entity that the answer has to name; null when the call does not decide that
   */
  public Reply repeated(RequestId call, String asked, @Nullable String target) {
    if (asked.equals(CancelRequest.OPERATION)) {
      return this;
    }
    requireSame(call, call.names(this));
    if (CancelRequest.made(this)) {
      throw CancelRequest.refusal(call.value(), this);
    }
    requireSame(call, asked.equals(operation) && (target == null || target.equals(id)));
    return this;
  }

  private void requireSame(RequestId call, boolean same) {
    if (!same) {
      throw new StorageException(
          ErrorCode.REQUEST_ID_REUSED,
          "request id " + call + " was used for another call (" + operation + " " + id + ")",
          call.value(),
          "use a fresh request id for each call, and the same one only to repeat it");
    }
  }
}
