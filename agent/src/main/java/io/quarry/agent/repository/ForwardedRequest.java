package io.quarry.agent.repository;

import io.quarry.coordinator.plan.Request;
import io.quarry.coordinator.plan.RequestId;
import org.jspecify.annotations.Nullable;

/**
 * A request on its way to the SDM's host.
 *
 * @param digest of the caller's call; only for logs that hold it, since older agents do not know it
 */
public record ForwardedRequest(
    String repositoryKey, String requestId, @Nullable String digest, Request request) {
  public RequestId id() {
    return new RequestId(requestId, digest);
  }
}
