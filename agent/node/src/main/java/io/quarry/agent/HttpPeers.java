package io.quarry.agent;

import com.fasterxml.jackson.databind.JsonNode;
import io.quarry.agent.call.CurrentCall;
import io.quarry.agent.service.PeerApi;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.Json;
import io.quarry.common.api.StorageApi;
import io.quarry.common.api.StorageException;
import io.quarry.common.client.ClientSettings;
import io.quarry.common.client.JsonHttp;
import io.quarry.common.client.StorageClient;
import io.quarry.coordinator.cluster.HostRecord;
import java.io.IOException;
import java.net.URI;
import java.time.Duration;
import java.util.List;

/** Reaches other agents over their HTTP servers. */
public final class HttpPeers implements PeerApi {
  private static final JsonHttp.Request HEALTH = new JsonHttp.Request("GET", "/health", null, null);

  /** The caller waits for this answer, too, and would ask another agent after that time. */
  private static final Duration ANSWER_MAX = Duration.ofSeconds(10);

  private static final Duration PATIENCE = Duration.ofSeconds(3);

  private final String hostId;
  private final JsonHttp http;

  public HttpPeers(String hostId, JsonHttp http) {
    this.hostId = hostId;
    this.http = http;
  }

  /**
   * Case 12.24: two hosts that advertise one address would pass a call on to each other, or to
   * themselves, without end.
   */
  @Override
  public StorageApi at(HostRecord host) {
    CurrentCall call = CurrentCall.get();
    if (call.forwardedBy() != null) {
      throw new StorageException(
          ErrorCode.HOST_NOT_FOUND,
          "host %s advertises %s, where host %s answers"
              .formatted(host.hostId(), host.endpoint(), hostId),
          host.hostId(),
          "give each host an advertise address of its own, and restart both agents");
    }
    List<URI> agent = List.of(URI.create(host.endpoint()));
    return call.digest() == null
        ? new StorageClient(agent, ClientSettings.DEFAULT, http)
        : new StorageClient(agent, ClientSettings.within(ANSWER_MAX), http.forCall(call.digest()));
  }

  /** An agent that answers with a fault is alive, too. */
  @Override
  public boolean answersAs(String askedId, String endpoint) {
    return http.send(URI.create(endpoint), HEALTH, PATIENCE)
            instanceof JsonHttp.Outcome.Answered answer
        && names(answer.body(), askedId);
  }

  private static boolean names(byte[] health, String askedId) {
    try {
      JsonNode answer = Json.MAPPER.readTree(health);
      return answer.path("hostId").asText().equals(askedId);
    } catch (IOException e) {
      return false;
    }
  }
}
