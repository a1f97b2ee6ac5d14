package io.quarry.common.client;

import io.quarry.common.api.ErrorCode;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * One call as it is sent, the same on each try.
 *
 * @param changes whether a lost answer leaves open what happened
 * @param hostBound whether it is about the host of the agent addressed, so that no other will do
 * @param timeout of one try
 * @param done an error that, after a lost answer, says that the call had its effect
 */
record Attempt(
    JsonHttp.Request request,
    boolean changes,
    boolean hostBound,
    Duration timeout,
    @Nullable ErrorCode done) {

  static Attempt reading(String path, Duration timeout) {
    return new Attempt(new JsonHttp.Request("GET", path, null, null), false, false, timeout, null);
  }
}
