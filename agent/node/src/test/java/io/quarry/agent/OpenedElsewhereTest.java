package io.quarry.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import io.quarry.common.api.ConnectRequest;
import io.quarry.common.api.Json;
import io.quarry.common.client.StorageClient;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Case 12.16: an openImage that was repeated at another agent got that agent's paths under the
 * first agent's host.
 */
@Timeout(180)
final class OpenedElsewhereTest {
  private static final long MIB = 1 << 20;

  private static HttpResponse<String> open(
      StorageClient agent, String repoId, String disk, String requestId, String body)
      throws Exception {
    URI url = agent.agents().getFirst();
    try (HttpClient http = HttpClient.newHttpClient()) {
      return http.send(
          HttpRequest.newBuilder(
                  url.resolve("/v1/repositories/" + repoId + "/images/" + disk + "/open"))
              .header("Content-Type", "application/json")
              .header("Idempotency-Key", requestId)
              .POST(BodyPublishers.ofString(body))
              .build(),
          BodyHandlers.ofString());
    }
  }

  private static String text(HttpResponse<String> response, String field) throws Exception {
    JsonNode body = Json.MAPPER.readTree(response.body());
    return body.path(field).asText();
  }

  /** The second host has another path to the storage, and another name for it. */
  @Test
  void repeatedOpenIsAnsweredByItsHost(@TempDir Path directory) throws Exception {
    try (var agents = AgentsUnderTest.start(directory, 2, "main")) {
      StorageClient first = agents.client(0);
      StorageClient second = agents.client(1);
      second.disconnectStorageRepository("main");
      Path way = Files.createSymbolicLink(directory.resolve("way"), agents.repository("main"));
      second.connectStorageRepository(
          new ConnectRequest("far", "localfs-1.0", Map.of("path", way.toString())));
      String disk = agents.disk("main", MIB);
      await().atMost(AgentsUnderTest.PATIENCE).until(() -> second.listHosts().size() == 2);

      // No defaults: the digest of the call covers only what the caller has set.
      String body = "{\"owner\": \"vm-1\"}";
      HttpResponse<String> opened = open(first, "main", disk, "open-1", body);
      assertThat(opened.statusCode()).as(opened.body()).isEqualTo(200);
      assertThat(text(opened, "hostId")).isEqualTo("host-0");
      assertThat(text(opened, "path")).startsWith(agents.repository("main") + "/");
      HttpResponse<String> again = open(second, "far", disk, "open-1", body);
      assertThat(again.body()).isEqualTo(opened.body());

      HttpResponse<String> named =
          open(second, "far", disk, "open-1", "{\"owner\": \"vm-1\", \"hostId\": \"host-1\"}");
      assertThat(named.statusCode()).isEqualTo(409);
      assertThat(text(named, "code")).isEqualTo("REQUEST_ID_REUSED");
      first.closeImage("main", disk, text(opened, "openId"), null);
      HttpResponse<String> closed = open(second, "far", disk, "open-1", body);
      assertThat(text(closed, "code")).isEqualTo("OPEN_NOT_FOUND");
    }
  }

  @Test
  void openForAHostIsRefusedElsewhere(@TempDir Path directory) throws Exception {
    try (var agents = AgentsUnderTest.start(directory, 2, "main")) {
      String disk = agents.disk("main", MIB);
      String body = "{\"hostId\": \"host-0\"}";
      HttpResponse<String> refused = open(agents.client(1), "main", disk, "open-1", body);
      assertThat(refused.statusCode()).isEqualTo(400);
      assertThat(text(refused, "subject")).isEqualTo("hostId");
      assertThat(agents.client(0).getImage("main", disk, 0).opens()).isEmpty();
      HttpResponse<String> opened = open(agents.client(0), "main", disk, "open-1", body);
      assertThat(opened.statusCode()).as(opened.body()).isEqualTo(200);
      // Any agent that gets the repeated call passes it on.
      HttpResponse<String> again = open(agents.client(1), "main", disk, "open-1", body);
      assertThat(again.body()).isEqualTo(opened.body());
    }
  }
}
