package io.quarry.it.api;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.quarry.common.api.CheckOptions;
import io.quarry.common.api.ErrorBody;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.FixRequest;
import io.quarry.common.api.ImageOptions;
import io.quarry.common.api.Json;
import io.quarry.common.api.OpenRequest;
import io.quarry.common.api.OpenedImage;
import io.quarry.common.client.StorageClient;
import io.quarry.common.model.Strategy;
import io.quarry.it.box.Box;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The mistakes of callers, over HTTP, against an agent with real repositories. */
@Timeout(180)
final class BadInputIT {
  private static final long SIZE = 1 << 20;
  private static final String LONG = "x".repeat(129);

  @TempDir static Path directory;

  private static Box box;
  private static HttpClient http;
  private static StorageClient client;
  private static String disk;
  private static String snapshot;
  private static String unmade;

  @BeforeAll
  static void start() throws Exception {
    box = Box.pair(directory);
    http = HttpClient.newHttpClient();
    client = box.client(0);
    box.connect("main");
    box.connect("other");
    disk = Box.disk(client, "main", SIZE).imageId();
    snapshot = Box.snapshot(client, "main", disk).imageId();
    Box.awaitOptimized(client, "main", disk);
    Box.awaitOptimized(client, "main", snapshot);
    ImageOptions waiting = new ImageOptions(false, Strategy.SPACE, null, Map.of());
    unmade = client.createVirtualDisk("main", Box.newDisk(SIZE, null, waiting), "made").imageId();
    client.createVirtualDisk("other", Box.newDisk(SIZE, null, waiting), null);
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

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      textBlock =
          """
          {"size": 0}                                             | 400 | INVALID_ARGUMENT
          {"size": -1}                                            | 400 | INVALID_ARGUMENT
          {"size": 513}                                           | 400 | INVALID_ARGUMENT
          {"size": 9223372036854775808}                           | 400 | INVALID_ARGUMENT
          {"size": 9223372036854775296}                           | 400 | INVALID_ARGUMENT
          {"size": 1e30}                                          | 400 | INVALID_ARGUMENT
          {"size": "1G"}                                          | 400 | INVALID_ARGUMENT
          {"size": null}                                          | 400 | INVALID_ARGUMENT
          {}                                                      | 400 | INVALID_ARGUMENT
          {"size": 1048576, "options": {"fast": true}}            | 400 | INVALID_ARGUMENT
          {"size": 1048576, "colour": "red"}                      | 400 | INVALID_ARGUMENT
          {"size": 1048576, "options": {"participatingRepositories": ["nowhere"]}, "baseSnapshotId": "SNAPSHOT"} | 404 | REPOSITORY_NOT_CONNECTED
          {"size": 1048576, "options": {"imageHints": {"SNAPSHOT": "other"}}, "baseSnapshotId": "SNAPSHOT"} | 404 | IMAGE_NOT_FOUND
          {"size": 1048576, "baseSnapshotId": "nothing"}          | 404 | IMAGE_NOT_FOUND
          {"size": 1048576, "baseSnapshotId": "../../etc/passwd"} | 400 | INVALID_ARGUMENT
          {"size": 1048576, "baseSnapshotId": "."}                | 400 | INVALID_ARGUMENT
          {"size": 1048576, "baseSnapshotId": "LONG"}             | 400 | INVALID_ARGUMENT
          {"size": 1048576, "baseSnapshotId": "DISK"}             | 409 | IMAGE_KIND_MISMATCH
          {"size": 512, "baseSnapshotId": "SNAPSHOT"}             | 400 | INVALID_ARGUMENT
          {"size": 1048576                                        | 400 | INVALID_ARGUMENT
          `                                                     ` | 400 | INVALID_ARGUMENT
          [1]                                                     | 400 | INVALID_ARGUMENT
          """)
  void diskIsRefused(@Nullable String body, int status, ErrorCode code) throws Exception {
    refused("POST", "/v1/repositories/main/virtual-disks", body, Map.of(), status, code);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      textBlock =
          """
          POST   | main/snapshots                | {"baseVirtualDiskId": "SNAPSHOT"}     | 409 | IMAGE_KIND_MISMATCH
          POST   | main/snapshots                | {"baseVirtualDiskId": "nothing"}      | 404 | IMAGE_NOT_FOUND
          POST   | main/snapshots                | {"baseVirtualDiskId": "UNMADE"}       | 409 | IMAGE_BROKEN
          POST   | other/snapshots               | {"baseVirtualDiskId": "DISK"}         | 404 | IMAGE_NOT_FOUND
          POST   | nowhere/virtual-disks         | {"size": 512}                         | 404 | REPOSITORY_NOT_CONNECTED
          POST   | a%2Fb/virtual-disks           | {"size": 512}                         | 400 | INVALID_ARGUMENT
          POST   | LONG/virtual-disks            | {"size": 512}                         | 400 | INVALID_ARGUMENT
          POST   | other/virtual-disks           | {"size": 512, "baseSnapshotId": "SNAPSHOT"}     | 400 | INVALID_ARGUMENT
          POST   | other/virtual-disks           | {"size": 1048576, "baseSnapshotId": "DISK"}     | 409 | IMAGE_KIND_MISMATCH
          POST   | other/virtual-disks           | {"size": 1048576, "baseSnapshotId": "SNAPSHOT", "options": {"participatingRepositories": ["other"]}} | 404 | IMAGE_NOT_FOUND
          POST   | main/snapshots                | {"baseVirtualDiskId": "DISK", "options": {"participatingRepositories": ["other"]}} | 404 | IMAGE_NOT_FOUND
          POST   | main/snapshots                | {"baseVirtualDiskId": "DISK", "options": {"imageHints": {"DISK": "other"}}} | 404 | IMAGE_NOT_FOUND
          POST   | main/snapshots                | {"baseVirtualDiskId": "DISK", "options": {"imageHints": {"DISK": "nowhere"}}} | 404 | REPOSITORY_NOT_CONNECTED
          POST   | other/copies                  | {"imageId": "SNAPSHOT", "options": {"participatingRepositories": ["other"]}} | 404 | IMAGE_NOT_FOUND
          POST   | other/copies                  | {"imageId": "SNAPSHOT", "options": {"imageHints": {"SNAPSHOT": "other"}}} | 404 | IMAGE_NOT_FOUND
          POST   | other/copies                  | {"imageId": "DISK", "baseImageId": "SNAPSHOT", "options": {"imageHints": {"SNAPSHOT": "other"}}} | 404 | IMAGE_NOT_FOUND
          POST   | other/copies                  | {"imageId": "nothing"}                | 404 | IMAGE_NOT_FOUND
          POST   | other/copies                  | {"imageId": "SNAPSHOT", "baseImageId": "DISK"} | 409 | IMAGE_KIND_MISMATCH
          POST   | other/copies                  | {"imageId": "UNMADE"}                 | 409 | IMAGE_BROKEN
          POST   | main/images/SNAPSHOT/open     | {"readOnly": false}                   | 409 | IMAGE_KIND_MISMATCH
          POST   | main/images/UNMADE/open       | {"readOnly": false}                   | 409 | IMAGE_BROKEN
          POST   | main/images/DISK/close        | {"openId": "nothing"}                 | 404 | OPEN_NOT_FOUND
          GET    | main/images/nothing           |                                       | 404 | IMAGE_NOT_FOUND
          GET    | main/images/nothing/status    |                                       | 404 | IMAGE_NOT_FOUND
          DELETE | main/images/nothing           |                                       | 404 | IMAGE_NOT_FOUND
          DELETE | main/images/DISK?retain=P9999D|                                       | 400 | INVALID_ARGUMENT
          POST   | main/check                    | {"deep": true, "after": "x"}          | 400 | INVALID_ARGUMENT
          POST   | main/check                    | {"after": "v:0"}                     | 400 | INVALID_ARGUMENT
          GET    | main/images/nothing/explain   |                                       | 404 | IMAGE_NOT_FOUND
          PUT    | main/images/nothing/user-data | {}                                    | 404 | IMAGE_NOT_FOUND
          PUT    | main/images/DISK/user-data    | [1]                                   | 400 | INVALID_ARGUMENT
          POST   | main/images/DISK/resize       | {"size": 512}                         | 400 | INVALID_ARGUMENT
          POST   | main/images/DISK/resize       | {"size": 2097153}                     | 400 | INVALID_ARGUMENT
          POST   | main/images/DISK/resize       | {"size": 70368744178176}              | 400 | INVALID_ARGUMENT
          POST   | main/images/DISK/resize       |                                       | 400 | INVALID_ARGUMENT
          POST   | main/images/SNAPSHOT/resize   | {"size": 2097152}                     | 409 | IMAGE_KIND_MISMATCH
          POST   | main/images/UNMADE/resize     | {"size": 2097152}                     | 409 | IMAGE_BROKEN
          POST   | main/images/nothing/resize    | {"size": 2097152}                     | 404 | IMAGE_NOT_FOUND
          POST   | main/images/nothing/restore   |                                       | 404 | IMAGE_NOT_FOUND
          GET    | main/images/UNMADE/data       |                                       | 409 | IMAGE_BROKEN
          GET    | main/images/nothing/data      |                                       | 404 | IMAGE_NOT_FOUND
          GET    | main/images/nothing/extents   |                                       | 404 | IMAGE_NOT_FOUND
          GET    | main/images/UNMADE/extents    |                                       | 409 | IMAGE_BROKEN
          PUT    | main/images/DISK/data         |                                       | 400 | INVALID_ARGUMENT
          POST   | main/images/UNMADE/uploads    |                                       | 409 | IMAGE_BROKEN
          POST   | main/images/SNAPSHOT/uploads  |                                       | 409 | IMAGE_KIND_MISMATCH
          POST   | main/images/nothing/uploads   |                                       | 404 | IMAGE_NOT_FOUND
          GET    | main/images/DISK/uploads/nothing |                                       | 404 | OPEN_NOT_FOUND
          POST   | main/images/DISK/uploads/nothing/finish |                                       | 404 | OPEN_NOT_FOUND
          POST   | main/fixes/nothing/pause      |                                       | 404 | FIX_NOT_FOUND
          POST   | main/fixes/nothing/resume     |                                       | 404 | FIX_NOT_FOUND
          """)
  void operationIsRefused(
      String method, String path, @Nullable String body, int status, ErrorCode code)
      throws Exception {
    refused(method, "/v1/repositories/" + path, body, Map.of(), status, code);
  }

  @Test
  void badCallsAboutTheClusterAreRefused() throws Exception {
    ErrorCode invalid = ErrorCode.INVALID_ARGUMENT;
    refused("GET", "/v1/events?since=nonsense", null, Map.of(), 400, invalid);
    refused("GET", "/v1/events?since=a%20b", null, Map.of(), 400, invalid);
    refused("GET", "/v1/events?from=0", null, Map.of(), 400, invalid);
    refused("GET", "/v1/events", null, Map.of("Last-Event-ID", "nonsense"), 400, invalid);
    refused("POST", "/v1/hosts/host-9/drain", null, Map.of(), 404, ErrorCode.HOST_NOT_FOUND);
    refused("POST", "/v1/hosts/host-1/fence", null, Map.of(), 400, ErrorCode.INVALID_ARGUMENT);
    refused("POST", "/v1/hosts/host-9/fence", null, Map.of(), 404, ErrorCode.HOST_NOT_FOUND);
    refused("POST", "/v1/tasks/a:b:1/stop", null, Map.of(), 404, ErrorCode.TASK_NOT_FOUND);
    refused("POST", "/v1/tasks/a:b:1/release", null, Map.of(), 404, ErrorCode.TASK_NOT_FOUND);
  }

  @Test
  void headersAndSizesAreChecked() throws Exception {
    String disks = "/v1/repositories/main/virtual-disks";
    String good = "{\"size\": 512}";
    refused(
        "POST", disks, good, Map.of("Content-Type", "text/plain"), 400, ErrorCode.INVALID_ARGUMENT);
    for (String id : List.of("a b", LONG)) {
      refused("POST", disks, good, Map.of("Idempotency-Key", id), 400, ErrorCode.INVALID_ARGUMENT);
    }
    String userData =
        "{\"size\": 512, \"userData\": {\"a\": \"%s\"}}".formatted("x".repeat(64 << 10));
    HttpResponse<String> large = send("POST", disks, userData, Map.of());
    assertThat(large.statusCode()).isIn(400, 413);
    assertThat(errorOf(large).subject()).isEqualTo("userData");
  }

  @Test
  void requestIdBelongsToOneOperation() throws Exception {
    Map<String, String> used = Map.of("Idempotency-Key", "made");
    ErrorCode reused = ErrorCode.REQUEST_ID_REUSED;
    String main = "/v1/repositories/main";
    String snapshotOf = "{\"baseVirtualDiskId\": \"DISK\"}";
    refused("POST", main + "/snapshots", snapshotOf, used, 409, reused);
    refused("POST", main + "/copies", "{\"imageId\": \"DISK\"}", used, 409, reused);
    refused("DELETE", main + "/images/DISK", null, used, 409, reused);
    refused("POST", main + "/images/DISK/open", "{}", used, 409, reused);
  }

  @Test
  void connectionsAreRefused() throws Exception {
    Path bare = Files.createDirectories(directory.resolve("bare"));
    Path full = Files.createDirectories(directory.resolve("full"));
    Files.writeString(full.resolve("precious.txt"), "do not touch");
    Path future = Files.createDirectories(directory.resolve("future"));
    Files.writeString(
        future.resolve("repository.json"), "{\"format\": \"localfs-1.0\", \"version\": 99}");
    Path garbage = Files.createDirectories(directory.resolve("garbage"));
    Files.writeString(garbage.resolve("repository.json"), "no JSON");
    Path half = Files.createDirectories(directory.resolve("half"));
    Files.writeString(
        half.resolve("repository.json"), "{\"format\": \"localfs-1.0\", \"version\": 1}");

    ErrorCode unusable = ErrorCode.REPOSITORY_UNUSABLE;
    connectRefused("new", "localfs-1.0", bare.toString(), false, 422, unusable);
    connectRefused("new", "localfs-1.0", full.toString(), true, 422, unusable);
    connectRefused("new", "localfs-1.0", directory + "/missing", true, 422, unusable);
    connectRefused("new", "localfs-1.0", future.toString(), false, 422, ErrorCode.AGENT_TOO_OLD);
    connectRefused("new", "localfs-1.0", garbage.toString(), true, 422, unusable);
    connectRefused("new", "localfs-1.0", half.toString(), true, 422, unusable);
    ErrorCode invalid = ErrorCode.INVALID_ARGUMENT;
    connectRefused("new", "localfs-1.0", "relative/path", true, 400, invalid);
    connectRefused("new", "floppy-1.0", bare.toString(), true, 400, invalid);
    connectRefused("../new", "localfs-1.0", bare.toString(), true, 400, invalid);
    connectRefused(LONG, "localfs-1.0", bare.toString(), true, 400, invalid);
    connectRefused(
        "main", "localfs-1.0", bare.toString(), true, 409, ErrorCode.REPOSITORY_ID_TAKEN);
    HttpResponse<String> again =
        connect("second", "localfs-1.0", box.repository("main").toString(), false);
    assertThat(again.statusCode()).isEqualTo(409);
    errorOf(again);
    String unknown =
        """
        {"repoId": "new", "repoFormat": "localfs-1.0",
         "connectionParameters": {"path": "%s", "speed": "11"}}
        """
            .formatted(bare);
    refused("POST", "/v1/repositories", unknown, Map.of(), 400, invalid);
    // A connection creates no repository.
    refused(
        "POST",
        "/v1/repositories",
        unknown.replace(", \"speed\": \"11\"}}", "}, \"create\": true}"),
        Map.of(),
        400,
        invalid);
    assertThat(Box.names(bare)).isEmpty();
    assertThat(Box.names(full)).containsExactly("precious.txt");
    assertThat(client.listStorageRepositories()).hasSize(2);
  }

  @Test
  void forgedAndStaleFixesAreRefused() throws Exception {
    JsonNode fix = fixOf("main");
    List<ObjectNode> forged = new ArrayList<>();
    forged.add(with(fix, "type", "clean"));
    forged.add(with(fix, "imageId", disk));
    forged.add(with(fix, "reason", "because"));
    forged.add(with(fix, "state", "queued"));
    forged.add(with(fix, "lastError", "none"));
    forged.add(with(fix, "data", "AAAA"));
    forged.add(with(fix, "data", "not base 64!"));
    forged.add(with(fix, "data", fixOf("other").path("data").asText()));
    for (String number : List.of("bytesToMove", "bytesToGain", "priority")) {
      ObjectNode changed = fix.deepCopy();
      forged.add(changed.put(number, fix.path(number).asLong() + 1));
    }
    forged.add(fixOf("other"));
    for (ObjectNode each : forged) {
      fixRefused(each, 400, ErrorCode.INVALID_ARGUMENT);
    }

    String passing =
        client
            .createVirtualDisk(
                "main",
                Box.newDisk(SIZE, null, new ImageOptions(false, Strategy.SPACE, null, Map.of())),
                null)
            .imageId();
    var stale =
        client.checkStorageRepository("main", CheckOptions.DEFAULT).fixes().stream()
            .filter(each -> passing.equals(each.imageId()))
            .findAny()
            .orElseThrow();
    client.fixStorageRepository("main", new FixRequest(stale), null);
    Box.awaitOptimized(client, "main", passing);
    fixRefused(Json.MAPPER.valueToTree(stale), 409, ErrorCode.FIX_STALE);
  }

  @Test
  void imageOpenForWritingIsLeftAlone() throws Exception {
    String busy = Box.disk(client, "main", SIZE).imageId();
    Box.awaitOptimized(client, "main", busy);
    OpenedImage opened = client.openImage("main", busy, new OpenRequest(false, "vm"), null);
    ErrorCode inUse = ErrorCode.IMAGE_IN_USE;
    String image = "/v1/repositories/main/images/" + busy;
    refused("POST", image + "/open", "{\"readOnly\": false}", Map.of(), 409, inUse);
    refused("POST", image + "/open", "{\"readOnly\": true}", Map.of(), 409, inUse);
    String snapshotOf = "{\"baseVirtualDiskId\": \"%s\"}".formatted(busy);
    refused("POST", "/v1/repositories/main/snapshots", snapshotOf, Map.of(), 409, inUse);
    refused(
        "POST",
        "/v1/repositories/other/copies",
        "{\"imageId\": \"%s\"}".formatted(busy),
        Map.of(),
        409,
        inUse);
    refused("DELETE", image, null, Map.of(), 409, inUse);
    refused("POST", image + "/resize", "{\"size\": 2097152}", Map.of(), 409, inUse);
    refused("POST", image + "/uploads", "{}", Map.of(), 409, inUse);
    refused("GET", image + "/data", null, Map.of(), 409, inUse);
    refused("GET", image + "/extents", null, Map.of(), 409, inUse);
    client.closeImage("main", busy, opened.openId(), null);
  }

  private static ObjectNode fixOf(String repoId) {
    return client.checkStorageRepository(repoId, CheckOptions.DEFAULT).fixes().stream()
        .filter(fix -> fix.state().equals("waiting"))
        .findFirst()
        .<ObjectNode>map(Json.MAPPER::valueToTree)
        .orElseThrow();
  }

  private static ObjectNode with(JsonNode fix, String field, String value) {
    ObjectNode changed = fix.deepCopy();
    return changed.put(field, value);
  }

  private static void fixRefused(ObjectNode fix, int status, ErrorCode code) throws Exception {
    @Nullable String body = Json.MAPPER.writeValueAsString(Map.of("fix", fix));
    refused("POST", "/v1/repositories/main/fixes", body, Map.of(), status, code);
  }

  private static void connectRefused(
      String repoId, String format, String path, boolean create, int status, ErrorCode code)
      throws Exception {
    HttpResponse<String> response = connect(repoId, format, path, create);
    assertThat(response.statusCode()).as(response.body()).isEqualTo(status);
    assertThat(errorOf(response).code()).as(response.body()).isEqualTo(code);
  }

  private static HttpResponse<String> connect(
      String repoId, String format, String path, boolean create) throws Exception {
    ObjectNode body = Json.MAPPER.createObjectNode().put("repoFormat", format);
    body.putObject("connectionParameters").put("path", path);
    if (create) {
      String target = "/v1/repositories/" + repoId.replace("/", "%2F") + "/create";
      return send("POST", target, body.toString(), Map.of());
    }
    return send("POST", "/v1/repositories", body.put("repoId", repoId).toString(), Map.of());
  }

  /** The call is refused with that code, and no repository's log has changed. */
  private static void refused(
      String method,
      String path,
      @Nullable String body,
      Map<String, String> headers,
      int status,
      ErrorCode code)
      throws Exception {
    long commits = commits();
    HttpResponse<String> response = send(method, path, body, headers);
    assertThat(response.statusCode()).as(response.body()).isEqualTo(status);
    assertThat(errorOf(response).code()).as(response.body()).isEqualTo(code);
    assertThat(commits()).as("commits after %s", response.body()).isEqualTo(commits);
  }

  private static ErrorBody errorOf(HttpResponse<String> response) throws Exception {
    ErrorBody error = Json.MAPPER.readValue(response.body(), ErrorBody.class);
    assertThat(error.code().httpStatus()).isEqualTo(response.statusCode());
    assertThat(error.message()).isNotBlank();
    assertThat(error.subject()).isNotBlank();
    assertThat(error.remedy()).isNotBlank();
    assertThat(response.body()).doesNotContain("Exception", "at io.quarry", "at java.");
    return error;
  }

  private static long commits() throws Exception {
    long commits = 0;
    for (String repoId : List.of("main", "other")) {
      commits +=
          Box.names(box.repository(repoId).resolve("log")).stream()
              .filter(name -> name.endsWith(".record"))
              .count();
    }
    return commits;
  }

  private static HttpResponse<String> send(
      String method, String path, @Nullable String body, Map<String, String> headers)
      throws Exception {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(URI.create(box.host(0).url() + named(path)))
            .method(
                method,
                body == null ? BodyPublishers.noBody() : BodyPublishers.ofString(named(body)));
    boolean changes = method.equals("POST") || method.equals("PUT");
    if ((body != null || changes) && !headers.containsKey("Content-Type")) {
      boolean bytes = path.contains("/data");
      request.header("Content-Type", bytes ? "application/octet-stream" : "application/json");
    }
    headers.forEach(request::header);
    return http.send(request.build(), BodyHandlers.ofString());
  }

  private static String named(String text) {
    return text.replace("SNAPSHOT", snapshot)
        .replace("UNMADE", unmade)
        .replace("DISK", disk)
        .replace("LONG", LONG);
  }
}
