package io.quarry.agent;

import static org.assertj.core.api.Assertions.assertThat;

import io.quarry.common.api.ErrorBody;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.Json;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The calls that only ZooKeeper can answer; all other calls work without ZooKeeper. */
@Timeout(180)
final class LostClusterTest {
  @Test
  void callsThatNeedZooKeeperSayThatItDoesNotAnswer(@TempDir Path directory) throws Exception {
    try (var agents = AgentsUnderTest.start(directory, 1, "main")) {
      URI agent = agents.client(0).agents().getFirst();
      agents.loseZooKeeper();
      assertUnavailable(agent, "/v1/hosts/host-9/fence", "");
      assertUnavailable(
          agent,
          "/v1/repositories",
          """
          {"repoId": "copy", "repoFormat": "localfs-1.0", "connectionParameters": {"path": "%s"}, "adopt": "copy"}
          """
              .formatted(agents.repository("main")));
    }
  }

  /** As plain HTTP, since a client would repeat the call. */
  private static void assertUnavailable(URI agent, String path, String body) throws Exception {
    try (HttpClient http = HttpClient.newHttpClient()) {
      HttpRequest request =
          HttpRequest.newBuilder(agent.resolve(path))
              .header("Content-Type", "application/json")
              .POST(BodyPublishers.ofString(body))
              .build();
      HttpResponse<String> answer = http.send(request, BodyHandlers.ofString());
      ErrorBody error = Json.MAPPER.readValue(answer.body(), ErrorBody.class);
      assertThat(error.code()).as(answer.body()).isEqualTo(ErrorCode.CLUSTER_UNAVAILABLE);
      assertThat(error.remedy()).contains("ZooKeeper");
    }
  }
}
