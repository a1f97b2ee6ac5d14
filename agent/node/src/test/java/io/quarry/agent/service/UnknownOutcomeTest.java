package io.quarry.agent.service;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.quarry.agent.AgentsUnderTest;
import io.quarry.common.api.BeginUploadRequest;
import io.quarry.common.api.ImageInfo;
import io.quarry.common.api.ImageQuery;
import io.quarry.common.api.Json;
import io.quarry.common.api.OpenRequest;
import io.quarry.common.api.OpenedImage;
import io.quarry.common.api.UploadRange;
import io.quarry.common.client.StorageClient;
import io.quarry.common.model.ImageKind;
import io.quarry.coordinator.fault.FaultPoints;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Calls whose outcome an agent cannot know: the agent says so, and the same request id gives the
 * answer later. The test uses plain HTTP, since a client would repeat the calls by itself.
 */
@Timeout(180)
final class UnknownOutcomeTest {
  private static final int SIZE = 1 << 20;

  private record Asked(String path, String requestId, String body) {}

  @AfterEach
  void removeFaultPoints() {
    FaultPoints.observe(null);
  }

  private static CompletableFuture<HttpResponse<String>> send(
      HttpClient http, URI agent, Asked asked) {
    HttpRequest request =
        HttpRequest.newBuilder(agent.resolve("/v1/repositories/main" + asked.path()))
            .header("Content-Type", "application/json")
            .header("Idempotency-Key", asked.requestId())
            .POST(BodyPublishers.ofString(asked.body()))
            .build();
    return http.sendAsync(request, BodyHandlers.ofString());
  }

  private static JsonNode json(HttpResponse<String> response) throws Exception {
    return Json.MAPPER.readTree(response.body());
  }

  /** The SDM has written its record, and cannot report it. */
  @Test
  void callsAreAnsweredOnceTheirOutcomeIsKnown(@TempDir Path directory) throws Exception {
    var go = new CountDownLatch(1);
    try (var agents = AgentsUnderTest.start(directory, 1, "main");
        HttpClient http = HttpClient.newHttpClient()) {
      StorageClient client = agents.client(0);
      URI agent = client.agents().getFirst();
      String frozen = agents.disk("main", SIZE);
      String opened = agents.disk("main", SIZE);
      String begun = agents.disk("main", SIZE);
      String filled = agents.disk("main", SIZE);
      String upload = client.beginUpload("main", filled, BeginUploadRequest.RAW, null).uploadId();
      client.uploadImage(
          "main",
          filled,
          upload,
          new UploadRange(0, SIZE, SIZE, true, null),
          InputStream.nullInputStream());
      FaultPoints.observe(place -> {
        if (place.equals("log.validate") && Thread.currentThread().getName().startsWith("sdm-")) {
          await(go);
        }
      });
      List<Asked> calls =
          List.of(
              new Asked("/snapshots", "r-1", "{\"baseVirtualDiskId\": \"" + frozen + "\"}"),
              new Asked("/images/" + opened + "/open", "r-2", "{}"),
              new Asked("/images/" + begun + "/uploads", "r-3", "{}"),
              new Asked("/images/" + filled + "/uploads/" + upload + "/finish", "r-4", "{}"));
      var unknown = calls.stream().map(asked -> send(http, agent, asked)).toList();
      for (int i = 0; i < calls.size(); i++) {
        HttpResponse<String> answer = unknown.get(i).join();
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(503);
        assertThat(json(answer).path("code").asText()).isEqualTo("OUTCOME_UNKNOWN");
        assertThat(json(answer).path("subject").asText()).isEqualTo(calls.get(i).requestId());
        assertThat(json(answer).path("remedy").asText()).contains("same request id");
      }
      go.countDown();
      for (Asked asked : calls) {
        HttpResponse<String> answer = send(http, agent, asked).join();
        assertThat(answer.statusCode()).as(answer.body()).isIn(200, 201);
        JsonNode again = json(send(http, agent, asked).join());
        for (String id : List.of("imageId", "openId", "uploadId", "commit")) {
          assertThat(again.path(id)).isEqualTo(json(answer).path(id));
        }
      }
      assertThat(client.listImages("main", ImageQuery.ALL).images())
          .filteredOn(image -> image.kind() == ImageKind.SNAPSHOT)
          .hasSize(1);
      for (String disk : List.of(opened, begun)) {
        assertThat(client.getImage("main", disk, 0).opens()).hasSize(1);
      }
      assertThat(client.getImage("main", filled, 0).opens())
          .extracting(ImageInfo.Open::openId)
          .isEmpty();
    }
  }

  private static void await(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /**
   * A repeated call has an open that a VM may use: the open stays, even if the file has a problem.
   */
  @Test
  void repeatedOpenThatCannotBeDescribedStays(@TempDir Path directory) throws Exception {
    try (var agents = AgentsUnderTest.start(directory, 1, "main");
        HttpClient http = HttpClient.newHttpClient()) {
      StorageClient client = agents.client(0);
      URI agent = client.agents().getFirst();
      String disk = agents.disk("main", SIZE);
      OpenedImage opened = client.openImage("main", disk, new OpenRequest(true, null), "r-1");
      Path file = Path.of(opened.path());
      Path away = Files.move(file, directory.resolve("away"));
      Asked asked = new Asked("/images/" + disk + "/open", "r-1", "{\"readOnly\":true}");
      HttpResponse<String> answer = send(http, agent, asked).join();
      assertThat(answer.statusCode()).as(answer.body()).isEqualTo(503);
      assertThat(json(answer).path("code").asText()).isEqualTo("OUTCOME_UNKNOWN");
      assertThat(json(answer).path("remedy").asText()).contains(opened.openId());
      Files.move(away, file);
      answer = send(http, agent, asked).join();
      assertThat(json(answer).path("openId").asText()).isEqualTo(opened.openId());
    }
  }
}
