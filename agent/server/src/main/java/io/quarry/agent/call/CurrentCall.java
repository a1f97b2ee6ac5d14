package io.quarry.agent.call;

import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * What the server knows of a call. The value is set for as long as the call's own thread serves the
 * call.
 *
 * @param digest of operation, target and body; null for calls that cannot be repeated by an id
 * @param forwardedBy the host whose agent has passed the call on; null when a caller sent it
 */
public record CurrentCall(@Nullable String digest, @Nullable String forwardedBy) {
  private static final CurrentCall NONE = new CurrentCall(null, null);
  private static final ScopedValue<CurrentCall> CALL = ScopedValue.newInstance();

  /** Does the work of the call. */
  public <T extends @Nullable Object> T serve(Supplier<T> work) {
    return ScopedValue.where(CALL, this).call(work::get);
  }

  /** The call of this thread; an empty one on threads that serve no call. */
  public static CurrentCall get() {
    return CALL.orElse(NONE);
  }
}
