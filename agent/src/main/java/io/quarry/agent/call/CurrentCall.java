package io.quarry.agent.call;

import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** What the server knows of a call, for as long as the call's own thread serves it. */
public final class CurrentCall {
  private static final ScopedValue<String> DIGEST = ScopedValue.newInstance();

  private CurrentCall() {}

  /**
   * Serves a call.
   *
   * @param digest of operation, target and body; null for calls that cannot be repeated by an id
   */
  public static <T extends @Nullable Object> T serve(@Nullable String digest, Supplier<T> call) {
    return digest == null ? call.get() : ScopedValue.where(DIGEST, digest).call(call::get);
  }

  /** What tells the call from other calls; null when there is none. */
  public static @Nullable String digest() {
    return DIGEST.isBound() ? DIGEST.get() : null;
  }
}
