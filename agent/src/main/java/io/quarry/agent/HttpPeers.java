package io.quarry.agent;

import com.fasterxml.jackson.databind.JsonNode;
import io.quarry.agent.service.PeerApi;
import io.quarry.common.api.Json;
import io.quarry.common.api.StorageApi;
import io.quarry.common.client.ClientSettings;
import io.quarry.common.client.JsonHttp;
import io.quarry.common.client.StorageClient;
import java.io.IOException;
import java.net.URI;
import java.time.Duration;
import java.util.List;

/** Other agents, over their HTTP servers. */
public final class HttpPeers implements PeerApi {
  private static final JsonHttp.Request HEALTH = new JsonHttp.Request("GET", "/health", null, null);
  private static final Duration PATIENCE = Duration.ofSeconds(3);

  private final JsonHttp http;

  public HttpPeers(JsonHttp http) {
    this.http = http;
  }

  @Override
  public StorageApi at(String endpoint) {
    return new StorageClient(List.of(URI.create(endpoint)), ClientSettings.DEFAULT, http);
  }

  /** An agent that is not well says so, and is alive. */
  @Override
  public boolean answersAs(String hostId, String endpoint) {
    return http.send(URI.create(endpoint), HEALTH, PATIENCE)
            instanceof JsonHttp.Outcome.Answered answer
        && names(answer.body(), hostId);
  }

  private static boolean names(byte[] health, String hostId) {
    try {
      JsonNode answer = Json.MAPPER.readTree(health);
      return answer.path("hostId").asText().equals(hostId);
    } catch (IOException e) {
      return false;
    }
  }
}
