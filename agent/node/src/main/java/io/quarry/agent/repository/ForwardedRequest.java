package io.quarry.agent.repository;

import com.fasterxml.jackson.core.JsonProcessingException;
import io.quarry.common.api.Json;
import io.quarry.common.api.StorageException;
import io.quarry.common.model.Limits;
import io.quarry.coordinator.plan.Request;
import io.quarry.coordinator.plan.RequestId;
import java.io.IOException;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A request on its way to the SDM's host. The constructor of the request checks its content.
 *
 * @param digest of the caller's call; only for logs that hold digests, since older agents do not
 *     know them
 */
public record ForwardedRequest(
    String repositoryKey, String requestId, @Nullable String digest, Request request) {
  private static final Pattern REQUEST_ID =
      Pattern.compile("[!-~]{1," + Limits.NAME_CHARS_MAX + "}");

  private static final Pattern DIGEST = Pattern.compile("[0-9A-Za-z_-]{1,64}");

  public ForwardedRequest {
    present("repositoryKey", repositoryKey);
    present("requestId", requestId);
    present("request", request);
    checkRequestId(requestId);
    if (digest != null && !DIGEST.matcher(digest).matches()) {
      throw StorageException.invalid("digest", "the digest is not usable", "leave it out");
    }
  }

  public RequestId id() {
    return new RequestId(requestId, digest);
  }

  /** Reads what another agent has sent; the exception says why the bytes are no request. */
  public static ForwardedRequest read(byte[] body) {
    try {
      ForwardedRequest request = Json.RECEIVED.readValue(body, ForwardedRequest.class);
      present("body", request);
      return request;
    } catch (JsonProcessingException e) {
      if (e.getCause() instanceof StorageException refused) {
        throw refused;
      }
      throw StorageException.invalid(
          "body",
          "not a forwarded request: " + e.getOriginalMessage(),
          "run one version of Quarry");
    } catch (IOException e) {
      throw StorageException.invalid(
          "body", "not a forwarded request", "run one version of Quarry");
    }
  }

  /** Refuses a text that cannot be a request id, from a caller or from an agent. */
  public static void checkRequestId(String requestId) {
    if (!REQUEST_ID.matcher(requestId).matches()) {
      throw StorageException.invalid(
          "Idempotency-Key",
          "the request id is not usable",
          "use 1 to " + Limits.NAME_CHARS_MAX + " printable ASCII characters without spaces");
    }
  }

  private static void present(String subject, @Nullable Object value) {
    if (value == null) {
      throw StorageException.invalid(subject, subject + " is missing", "give " + subject);
    }
  }
}
