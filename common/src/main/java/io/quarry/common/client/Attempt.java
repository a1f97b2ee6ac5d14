package io.quarry.common.client;

import io.quarry.common.api.ErrorCode;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * One call, the same on each try.
 *
 * @param changes whether a lost answer leaves the outcome open
 * @param hostBound whether the call is about the host of the addressed agent, so that no other
 *     agent will do
 * @param timeout of one try
 * @param done an error that, after a lost answer, says that the call had its effect
 * @param cancel the request that stops tries with lost answers from having an effect
 */
record Attempt(
    JsonHttp.Request request,
    boolean changes,
    boolean hostBound,
    Duration timeout,
    @Nullable ErrorCode done,
    JsonHttp.@Nullable Request cancel) {

  static Attempt reading(String path, Duration timeout) {
    return reading(new JsonHttp.Request("GET", path, null, null), timeout);
  }

  static Attempt reading(JsonHttp.Request request, Duration timeout) {
    return new Attempt(request, false, false, timeout, null, null);
  }

  static Attempt changing(JsonHttp.Request request, Duration timeout) {
    return new Attempt(request, true, false, timeout, null, null);
  }

  Attempt atThisHost() {
    return new Attempt(request, changes, true, timeout, done, cancel);
  }

  Attempt doneWhen(@Nullable ErrorCode code) {
    return new Attempt(request, changes, hostBound, timeout, code, cancel);
  }

  Attempt cancelledBy(JsonHttp.Request cancelling) {
    return new Attempt(request, changes, hostBound, timeout, done, cancelling);
  }
}
