package io.quarry.coordinator.plan;

import org.jspecify.annotations.Nullable;

/**
 * The caller's name for a call, and what binds it to that call: another call under the same name is
 * refused.
 *
 * @param value as the caller gave it
 * @param digest of operation, target, body and caller; null for requests that an agent makes itself
 */
public record RequestId(String value, @Nullable String digest) {
  /** Of a request that is not a caller's, under a name that is never used again. */
  public static RequestId of(String value) {
    return new RequestId(value, null);
  }

  /** Whether an answer was for this very call, as far as both sides say. */
  boolean names(Reply reply) {
    return digest == null || reply.digest() == null || digest.equals(reply.digest());
  }

  @Override
  public String toString() {
    return value;
  }
}
