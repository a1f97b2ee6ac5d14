package io.quarry.it.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.quarry.common.api.Json;
import io.quarry.it.api.Http.Answer;
import io.quarry.it.box.Box;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The contract's operations as any program would call them: one test per operation. */
@Timeout(180)
final class OperationsIT {
  private static final String MAIN = "/v1/repositories/main";
  private static final String FAR = "/v1/repositories/far";
  private static final String DISK = "{\"size\": 1048576}";
  private static final String WAIT = "/status?wait=30s&until=optimized";

  @TempDir static Path directory;

  private static Box box;
  private static Http http;
  private static URI here;
  private static URI there;

  @BeforeAll
  static void start() throws Exception {
    box = Box.pair(directory, "main", "far");
    http = new Http();
    here = box.host(0).url();
    there = box.host(1).url();
  }

  @AfterAll
  static void stop() {
    if (http != null) {
      http.close();
    }
    if (box != null) {
      box.close();
    }
  }

  /** The call has one effect, whichever agent gets its repetition. */
  private static Answer changed(int status, String method, String path, String body, String key)
      throws Exception {
    Answer first = http.send(here, method, path, body, "Idempotency-Key", key);
    assertThat(first.status()).as("%s", first.body()).isEqualTo(status);
    Answer again = http.send(there, method, path, body, "Idempotency-Key", key);
    assertThat(again.status()).as("%s", again.body()).isEqualTo(status);
    assertThat(again.body()).isEqualTo(first.body());
    return first;
  }

  private static String created(String path, String body, String key) throws Exception {
    Answer answer = changed(201, "POST", path, body, key);
    String imageId = answer.text("imageId");
    assertThat(answer.number("commit")).isPositive();
    String repository = path.substring(0, path.lastIndexOf('/'));
    assertThat(answer.header("Location")).isEqualTo(repository + "/images/" + imageId);
    return imageId;
  }

  private static String optimizedDisk(String key) throws Exception {
    String disk = created(MAIN + "/virtual-disks", DISK, key);
    awaitOptimized(MAIN, disk);
    return disk;
  }

  private static void awaitOptimized(String repository, String image) throws Exception {
    Answer status = http.get(there, repository + "/images/" + image + WAIT);
    assertThat(status.status()).isEqualTo(200);
    assertThat(status.text("state")).isEqualTo("optimized");
  }

  private static void refused(Answer answer, int status, String code, String subject) {
    assertThat(answer.status()).as("%s", answer.body()).isEqualTo(status);
    assertThat(answer.text("code")).isEqualTo(code);
    assertThat(answer.text("message")).isNotBlank();
    assertThat(answer.text("subject")).isEqualTo(subject);
    assertThat(answer.text("remedy")).isNotBlank();
    assertThat(answer.body()).hasSize(4);
  }

  @Test
  void connectAndDisconnectStorageRepository() throws Exception {
    Path place = Files.createDirectories(directory.resolve("passing"));
    String connect =
        """
        {"repoFormat": "localfs-1.0", "connectionParameters": {"path": "%s"}}
        """
            .formatted(place);
    Answer first = http.post(here, "/v1/repositories/passing/create", connect);
    String known = connect.replaceFirst("\\{", "{\"repoId\": \"passing\", ");
    Answer again = http.post(here, "/v1/repositories", known);
    assertThat(first.status()).as("%s", first.body()).isBetween(200, 201);
    assertThat(again.status()).isEqualTo(first.status());
    Answer shown = http.get(here, "/v1/repositories/passing");
    assertThat(shown.text("repoFormat")).isEqualTo("localfs-1.0");
    assertThat(shown.number("freeBytes")).isPositive();
    assertThat(
            http.get(here, "/v1/repositories")
                .body()
                .get("repositories")
                .findValuesAsText("repoId"))
        .contains("main", "far", "passing");
    refused(
        http.get(there, "/v1/repositories/passing"), 404, "REPOSITORY_NOT_CONNECTED", "passing");

    assertThat(http.send(here, "DELETE", "/v1/repositories/passing", "").status()).isEqualTo(204);
    refused(http.get(here, "/v1/repositories/passing"), 404, "REPOSITORY_NOT_CONNECTED", "passing");
    assertThat(place.resolve("repository.json")).exists();
  }

  @Test
  void createVirtualDisk() throws Exception {
    String disk = optimizedDisk("disk-1");
    Answer image = http.get(there, MAIN + "/images/" + disk);
    assertThat(image.text("kind")).isEqualTo("VirtualDisk");
    assertThat(image.number("size")).isEqualTo(1 << 20);
    refused(
        http.post(here, MAIN + "/virtual-disks", "{\"size\": 1048576, \"colour\": \"red\"}"),
        400,
        "INVALID_ARGUMENT",
        "colour");
    refused(
        http.post(
            here, MAIN + "/virtual-disks", "{\"size\": 1048576, \"options\": {\"fast\": true}}"),
        400,
        "INVALID_ARGUMENT",
        "options.fast");
  }

  @Test
  void createSnapshot() throws Exception {
    String disk = optimizedDisk("disk-2");
    String body = "{\"baseVirtualDiskId\": \"" + disk + "\"}";
    String snapshot = created(MAIN + "/snapshots", body, "snapshot-2");
    awaitOptimized(MAIN, snapshot);
    awaitOptimized(MAIN, disk);
    assertThat(http.get(there, MAIN + "/images/" + snapshot).text("kind")).isEqualTo("Snapshot");
    assertThat(http.post(here, FAR + "/snapshots", body).status()).isEqualTo(404);

    Answer open = changed(200, "POST", MAIN + "/images/" + disk + "/open", "{}", "open-2");
    refused(http.post(there, MAIN + "/snapshots", body), 409, "IMAGE_IN_USE", disk);
    String close = "{\"openId\": \"" + open.text("openId") + "\"}";
    changed(200, "POST", MAIN + "/images/" + disk + "/close", close, "close-2");
    assertThat(http.post(there, MAIN + "/snapshots", body).status()).isEqualTo(201);
  }

  @Test
  void copyImage() throws Exception {
    String disk = optimizedDisk("disk-3");
    String snapshot =
        created(MAIN + "/snapshots", "{\"baseVirtualDiskId\": \"" + disk + "\"}", "snapshot-3");
    awaitOptimized(MAIN, disk);
    String copy = "{\"imageId\": \"" + snapshot + "\"}";
    assertThat(created(FAR + "/copies", copy, "copy-3")).isEqualTo(snapshot);
    awaitOptimized(FAR, snapshot);
    Answer already = http.post(there, FAR + "/copies", copy);
    assertThat(already.status()).isEqualTo(201);
    assertThat(already.text("imageId"))
        .as("a second copy into the same repository has no effect")
        .isEqualTo(snapshot);
    String copied = created(FAR + "/copies", "{\"imageId\": \"" + disk + "\"}", "copy-4");
    assertThat(copied).isNotEqualTo(disk);
    awaitOptimized(FAR, copied);
  }

  @Test
  void removeAndRestoreImage() throws Exception {
    String disk = optimizedDisk("disk-5");
    String path = MAIN + "/images/" + disk;
    changed(200, "DELETE", path + "?retain=PT1H", "", "remove-5");
    refused(http.get(there, path), 404, "IMAGE_NOT_FOUND", disk);
    changed(200, "POST", path + "/restore", "", "restore-5");
    assertThat(http.get(there, path).status()).isEqualTo(200);
    changed(200, "DELETE", path, "", "remove-6");
    refused(http.send(there, "DELETE", path, ""), 404, "IMAGE_NOT_FOUND", disk);
  }

  @Test
  void getImageStatusCheckAndFixStorageRepository() throws Exception {
    String body = "{\"size\": 1048576, \"options\": {\"autoFix\": false}}";
    Answer made = changed(201, "POST", FAR + "/virtual-disks", body, "disk-7");
    String disk = made.text("imageId");
    String atLeast = "?atLeast=" + made.number("commit");
    Answer status = http.get(there, FAR + "/images/" + disk + "/status" + atLeast);
    assertThat(status.text("state")).isEqualTo("broken");
    assertThat(status.text("reason")).isNotBlank();
    Answer early = http.get(here, FAR + "/images/" + disk + "/status?wait=PT0.2S&until=optimized");
    assertThat(early.status()).as("a wait ends with the current state").isEqualTo(200);

    JsonNode fix = fixOf(disk);
    ObjectNode forged = fix.deepCopy();
    forged.put("reason", "because");
    Answer refusal = http.post(here, FAR + "/fixes", fixRequest(forged));
    assertThat(refusal.status()).isEqualTo(400);
    changed(202, "POST", FAR + "/fixes", fixRequest(fix), "fix-7");
    awaitOptimized(FAR, disk);
    Answer stale = http.post(there, FAR + "/fixes", fixRequest(fix));
    assertThat(stale.status()).as("%s", stale.body()).isEqualTo(409);
    assertThat(stale.text("code")).isEqualTo("FIX_STALE");
  }

  private static JsonNode fixOf(String image) throws Exception {
    for (JsonNode fix : http.post(there, FAR + "/check", "{}").body().get("fixes")) {
      if (image.equals(fix.path("imageId").asText())) {
        return fix;
      }
    }
    throw new AssertionError("no fix for " + image);
  }

  private static String fixRequest(JsonNode fix) {
    return Json.MAPPER.createObjectNode().set("fix", fix).toString();
  }

  @Test
  void setUserDataAndResizeImage() throws Exception {
    String disk = optimizedDisk("disk-8");
    String path = MAIN + "/images/" + disk;
    changed(200, "PUT", path + "/user-data", "{\"name\": \"web\"}", "data-8");
    changed(200, "POST", path + "/resize", "{\"size\": 2097152}", "resize-8");
    awaitOptimized(MAIN, disk);
    Answer image = http.get(there, path);
    assertThat(image.number("size")).isEqualTo(2 << 20);
    assertThat(image.body().get("userData").get("name").asText()).isEqualTo("web");
    assertThat(http.get(there, path + "/explain").status()).isEqualTo(200);
  }

  @Test
  void uploadAndDownloadImage() throws Exception {
    String disk = optimizedDisk("disk-9");
    String path = MAIN + "/images/" + disk;
    Answer upload = changed(200, "POST", path + "/uploads", "", "upload-9");
    String id = upload.text("uploadId");
    byte[] bytes = new byte[1 << 20];
    Arrays.fill(bytes, (byte) 9);
    String data = path + "/data?uploadId=" + id;
    Answer put =
        http.sendBytes(here, "PUT", data, bytes, "Content-Range", "bytes 0-1048575/1048576");
    assertThat(put.number("offset")).isEqualTo(1 << 20);
    assertThat(http.get(there, path + "/uploads/" + id).number("offset")).isEqualTo(1 << 20);
    refused(http.post(there, MAIN + "/images/" + disk + "/open", "{}"), 409, "IMAGE_IN_USE", disk);
    Answer done = changed(200, "POST", path + "/uploads/" + id + "/finish", "{}", "finish-9");
    assertThat(done.body().get("finished").asBoolean()).isTrue();
    Answer part = http.get(there, path + "/data", "Range", "bytes=4-7");
    assertThat(part.status()).isEqualTo(206);
    assertThat(part.raw().body()).containsExactly(9, 9, 9, 9);
    assertThat(part.header("Content-Range")).isEqualTo("bytes 4-7/1048576");
    assertThat(http.get(here, path + "/data", "Range", "bytes=1048576-").status()).isEqualTo(416);
  }

  @Test
  void stopReleaseAndPauseWhatRuns() throws Exception {
    String disk = created(MAIN + "/virtual-disks", "{\"size\": 8388608}", "disk-11");
    awaitOptimized(MAIN, disk);
    upload(disk, "upload-11", 8 << 20);
    throttle(64 << 10);
    String copy;
    try {
      copy = created(FAR + "/copies", "{\"imageId\": \"" + disk + "\"}", "copy-11");
      String fix = awaitTask(copy).get("fixId").asText();
      changed(200, "POST", FAR + "/fixes/" + fix + "/pause", "", "pause-11");
      await().until(() -> task(copy).isEmpty());
      assertThat(http.get(there, FAR + "/images/" + copy + "/status").text("reason"))
          .contains("paused");
      changed(200, "POST", FAR + "/fixes/" + fix + "/resume", "", "resume-11");

      JsonNode released = awaitTask(copy);
      assertThat(taskCall(released, "release")).isEqualTo(204);
      assertThat(taskCall(awaitTask(copy), "stop")).isEqualTo(204);
      await().until(() -> task(copy).isEmpty());
      Answer status = http.get(here, FAR + "/images/" + copy + "/status");
      assertThat(status.text("state")).isEqualTo("broken");
      assertThat(http.get(there, FAR + "/images/" + copy + "/explain").status()).isEqualTo(200);
      refused(
          http.post(here, "/v1/tasks/nobody:nothing:1/stop", ""),
          404,
          "TASK_NOT_FOUND",
          "nobody:nothing:1");
    } finally {
      throttle(0);
    }
    assertThat(http.post(here, FAR + "/fixes", fixRequest(fixOf(copy))).status()).isEqualTo(202);
    awaitOptimized(FAR, copy);
  }

  private static void upload(String disk, String key, int size) throws Exception {
    String path = MAIN + "/images/" + disk;
    String id = changed(200, "POST", path + "/uploads", "", key).text("uploadId");
    byte[] bytes = new byte[size];
    Arrays.fill(bytes, (byte) 7);
    String range = "bytes 0-" + (size - 1) + "/" + size;
    http.sendBytes(here, "PUT", path + "/data?uploadId=" + id, bytes, "Content-Range", range);
    changed(200, "POST", path + "/uploads/" + id + "/finish", "{}", key + "-end");
  }

  private static void throttle(long bytesPerSecond) throws Exception {
    String body = "{\"bytesPerSecond\": " + bytesPerSecond + "}";
    for (URI agent : List.of(here, there)) {
      assertThat(http.send(agent, "PUT", "/v1/throttle", body).status()).isEqualTo(204);
    }
  }

  private static Optional<JsonNode> task(String image) throws Exception {
    for (JsonNode task : http.get(here, "/v1/tasks").body().get("tasks")) {
      if (image.equals(task.path("imageId").asText())) {
        return Optional.of(task);
      }
    }
    return Optional.empty();
  }

  private static JsonNode awaitTask(String image) {
    return await().until(() -> task(image), Optional::isPresent).orElseThrow();
  }

  private static int taskCall(JsonNode task, String what) throws Exception {
    return http.post(there, "/v1/tasks/" + task.get("taskId").asText() + "/" + what, "").status();
  }

  @Test
  void drainHost() throws Exception {
    String path = "/v1/hosts/" + box.host(1).hostId() + "/drain";
    assertThat(http.post(here, path, "{\"drained\": true}").status()).isEqualTo(204);
    await()
        .until(() -> http.get(here, "/v1/hosts").body().toString().contains("drainedSince\":\""));
    assertThat(http.post(here, path, "{\"drained\": false}").status()).isEqualTo(204);
    refused(
        http.post(here, "/v1/hosts/nobody/drain", "{\"drained\": true}"),
        404,
        "HOST_NOT_FOUND",
        "nobody");
  }

  /** Another agent continues after the last event, with the very next commit. */
  @Test
  void watchEvents() throws Exception {
    optimizedDisk("disk-10");
    ObjectNode first = http.events(here, "0", "commit", 3).getFirst();
    List<ObjectNode> next = http.events(there, first.get("id").asText(), "commit", 2);
    assertThat(next)
        .hasSize(2)
        .filteredOn(event -> event.get("repoId").equals(first.get("repoId")))
        .allSatisfy(event ->
            assertThat(event.get("commit").asLong()).isGreaterThan(first.get("commit").asLong()));
  }

  @Test
  void listsOfTheCluster() throws Exception {
    assertThat(http.get(here, "/v1/hosts").body().get("hosts").findValuesAsText("hostId"))
        .contains(box.host(0).hostId(), box.host(1).hostId());
    assertThat(http.get(here, "/v1/tasks").body().get("tasks").isArray()).isTrue();
    assertThat(http.get(here, MAIN + "/fixes").body().get("fixes").isArray()).isTrue();
    assertThat(http.get(here, "/health").status()).isEqualTo(200);
    assertThat(http.get(here, "/metrics").status()).isEqualTo(200);
    assertThat(http.get(here, "/v1/openapi.yaml").raw().body())
        .isEqualTo(http.get(there, "/v1/openapi.yaml").raw().body());
    assertThat(http.get(here, "/v1/nothing").status()).isEqualTo(404);
    assertThat(http.send(here, "PATCH", MAIN, "{}").status()).isEqualTo(405);
  }
}
