package io.quarry.coordinator.plan;

import org.jspecify.annotations.Nullable;

/**
 * The caller's name for a call, and a digest that binds the name to that call. Another call under
 * the same name is refused.
 *
 * @param value as the caller gave it
 * @param digest of operation, target, body and caller; null for an agent's own requests
 */
public record RequestId(String value, @Nullable String digest) {
  /** The id of an agent's own request, under a name that is never used again. */
  public static RequestId of(String value) {
    return new RequestId(value, null);
  }

  /** Whether an answer was for this very call, as far as both digests are known. */
  boolean names(Reply reply) {
    return digest == null || reply.digest() == null || digest.equals(reply.digest());
  }

  @Override
  public String toString() {
    return value;
  }
}
