package io.quarry.it.hang;

import com.fasterxml.jackson.core.JsonProcessingException;
import io.quarry.common.api.ErrorBody;
import io.quarry.common.api.Json;
import io.quarry.it.box.Box;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;

/**
 * One call of each kind about a repository, as plain HTTP, since Quarry's client would try again.
 */
final class EveryCall implements AutoCloseable {
  /** Far longer than any call may take. */
  private static final Duration ANSWER_MAX = Duration.ofMinutes(2);

  private static final String HEALTH = "health";
  private static final String EVENTS = "watchEvents";
  private static final long UPLOAD_BYTES = 1 << 20;
  private static final int RANGE_BYTES = 1 << 12;
  private static final String NOBODY = "00000000-0000-4000-8000-000000000000";

  private final HttpClient http = HttpClient.newHttpClient();
  private final URI agent;

  EveryCall(URI agent) {
    this.agent = agent;
  }

  /**
   * An operation of the API.
   *
   * @param zeros how many are sent when there is no JSON
   * @param headers names and values in turn
   */
  record Kind(
      String name, String method, String path, String json, int zeros, List<String> headers) {
    static Kind of(String name, String method, String path, String json) {
      return new Kind(name, method, path, json, 0, List.of());
    }
  }

  /** The result of one call. */
  record Answered(int status, String code, Duration took) {
    /** Whether the call got an answer, a final refusal, or a code that permits a repetition. */
    boolean stable() {
      return status < 500 || (status == 503 && !code.isEmpty());
    }
  }

  /**
   * @param repoId the repository that the calls are about
   * @param way the host's path to the repository
   * @param image a disk that no guest uses, and a disk that an upload fills
   */
  record Subject(
      String repoId,
      Path way,
      String otherRepoId,
      String image,
      String snapshot,
      String copy,
      String filled,
      String uploadId) {}

  static List<Kind> kinds(Subject about) throws JsonProcessingException {
    String repository = "/v1/repositories/" + about.repoId();
    String other = "/v1/repositories/" + about.otherRepoId();
    String image = repository + "/images/" + about.image();
    String filled = repository + "/images/" + about.filled();
    String copy = repository + "/images/" + about.copy();
    String connect = Json.MAPPER.writeValueAsString(Box.at(about.repoId(), about.way()));
    return Stream.concat(
            reads(repository, image, copy, filled + "/uploads/" + about.uploadId()),
            changes(about, repository, other, image, filled, connect))
        .toList();
  }

  private static Stream<Kind> reads(String repository, String image, String copy, String upload) {
    return Stream.of(
        Kind.of("listStorageRepositories", "GET", "/v1/repositories", ""),
        Kind.of("getStorageRepository", "GET", repository, ""),
        Kind.of("listImages", "GET", repository + "/images", ""),
        Kind.of("getImage", "GET", image, ""),
        Kind.of("getImageStatus", "GET", image + "/status", ""),
        Kind.of("getImageStatus of a broken one", "GET", copy + "/status", ""),
        Kind.of("explainImage", "GET", copy + "/explain", ""),
        Kind.of("downloadImage", "GET", image + "/data", ""),
        Kind.of("listImageExtents", "GET", image + "/extents", ""),
        Kind.of("getUpload", "GET", upload, ""),
        Kind.of("listOpens", "GET", repository + "/opens", ""),
        Kind.of("getOpen", "GET", repository + "/opens/" + NOBODY, ""),
        Kind.of("checkStorageRepository", "POST", repository + "/check", "{}"),
        Kind.of("a deep check", "POST", repository + "/check", "{\"deep\": true}"),
        Kind.of("listFixes", "GET", repository + "/fixes", ""),
        Kind.of("listHosts", "GET", "/v1/hosts", ""),
        Kind.of("listTasks", "GET", "/v1/tasks", ""),
        Kind.of(EVENTS, "GET", "/v1/events", ""),
        Kind.of(HEALTH, "GET", "/health", ""),
        Kind.of("metrics", "GET", "/metrics", ""));
  }

  private static Stream<Kind> changes(
      Subject about, String repository, String other, String image, String filled, String connect) {
    String disk = "{\"size\": 1048576}";
    String of = "{\"%s\": \"%s\"}";
    return Stream.of(
        Kind.of("connectStorageRepository", "POST", "/v1/repositories", connect),
        Kind.of("createVirtualDisk", "POST", repository + "/virtual-disks", disk),
        Kind.of(
            "createSnapshot",
            "POST",
            repository + "/snapshots",
            of.formatted("baseVirtualDiskId", about.image())),
        Kind.of(
            "copyImage from it", "POST", other + "/copies", of.formatted("imageId", about.image())),
        Kind.of(
            "copyImage inside it",
            "POST",
            repository + "/copies",
            of.formatted("imageId", about.snapshot())),
        Kind.of("setUserData", "PUT", image + "/user-data", "{\"name\": \"web\"}"),
        Kind.of("resizeImage", "POST", image + "/resize", disk),
        Kind.of("removeImage", "DELETE", repository + "/images/" + NOBODY, ""),
        Kind.of("restoreImage", "POST", repository + "/images/" + NOBODY + "/restore", ""),
        Kind.of("openImage", "POST", image + "/open", "{\"readOnly\": true}"),
        Kind.of("closeImage", "POST", image + "/close", of.formatted("openId", NOBODY)),
        Kind.of("closeOpen", "POST", repository + "/opens/" + NOBODY + "/close", ""),
        Kind.of(
            "closeOpens",
            "POST",
            repository + "/close-opens",
            "{\"hostId\": \"nobody\", \"dead\": true}"),
        Kind.of("beginUpload", "POST", image + "/uploads", ""),
        new Kind(
            "uploadImage",
            "PUT",
            filled + "/data?uploadId=" + about.uploadId(),
            "",
            RANGE_BYTES,
            List.of("Content-Range", "bytes 0-%d/%d".formatted(RANGE_BYTES - 1, UPLOAD_BYTES))),
        Kind.of("finishUpload", "POST", filled + "/uploads/" + about.uploadId() + "/finish", "{}"),
        Kind.of("pauseFix", "POST", repository + "/fixes/mend-" + NOBODY + "/pause", ""),
        Kind.of("resumeFix", "POST", repository + "/fixes/mend-" + NOBODY + "/resume", ""),
        Kind.of("cancelRequest", "POST", repository + "/requests/" + NOBODY + "/cancel", ""),
        Kind.of("stopTask", "POST", "/v1/tasks/nobody:mend-" + NOBODY + ":1/stop", ""),
        Kind.of("releaseTask", "POST", "/v1/tasks/nobody:mend-" + NOBODY + ":1/release", ""));
  }

  /** Returns when the head of the answer is there, since a stream of events has no end. */
  Answered make(Kind kind) throws Exception {
    byte[] body =
        kind.json().isEmpty()
            ? new byte[kind.zeros()]
            : kind.json().getBytes(StandardCharsets.UTF_8);
    HttpRequest.Builder request =
        HttpRequest.newBuilder(URI.create(agent + kind.path()))
            .timeout(ANSWER_MAX)
            .method(
                kind.method(),
                body.length == 0 ? BodyPublishers.noBody() : BodyPublishers.ofByteArray(body));
    boolean bytes = kind.name().equals("uploadImage");
    request.header("Content-Type", bytes ? "application/octet-stream" : "application/json");
    if (!kind.headers().isEmpty()) {
      request.headers(kind.headers().toArray(String[]::new));
    }
    long began = System.nanoTime();
    HttpResponse<InputStream> answer = http.send(request.build(), BodyHandlers.ofInputStream());
    Duration took = Duration.ofNanos(System.nanoTime() - began);
    try (InputStream in = answer.body()) {
      String code = "";
      if (kind.name().equals(HEALTH)) {
        code = Json.MAPPER.readTree(in).get("status").asText();
      } else if (answer.statusCode() >= 400) {
        code = Json.MAPPER.readValue(in, ErrorBody.class).code().name();
      } else if (!kind.name().equals(EVENTS)) {
        in.transferTo(OutputStream.nullOutputStream());
      }
      return new Answered(answer.statusCode(), code, took);
    }
  }

  @Override
  public void close() {
    http.shutdownNow();
    http.close();
  }
}
