package io.quarry.agent.server;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.quarry.agent.call.FakeStorage;
import io.quarry.common.api.BeginUploadRequest;
import io.quarry.common.api.CreateVirtualDiskRequest;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.ImageOptions;
import io.quarry.common.api.OpenRequest;
import io.quarry.common.api.Problem;
import io.quarry.common.api.StorageApi;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.json.Json;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import io.vertx.json.schema.OutputUnit;
import io.vertx.openapi.contract.OpenAPIContract;
import io.vertx.openapi.validation.ResponseValidator;
import io.vertx.openapi.validation.ValidatableResponse;
import java.lang.reflect.Method;
import java.net.http.HttpResponse;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.yaml.snakeyaml.Yaml;

/** The OpenAPI file and the server agree, both ways; a library for OpenAPI is the judge. */
final class ContractTest {
  private static final Vertx VERTX = Vertx.vertx();
  private static final JsonObject FILE =
      new JsonObject(
          new Yaml().<Map<String, Object>>load(Buffer.buffer(Contract.text()).toString()));
  private static final OpenAPIContract CONTRACT = OpenAPIContract.from(VERTX, FILE.copy()).await();

  /** A request for each implemented operation; `{disk}` stands for a disk of its own. */
  private static final Map<String, String> REQUESTS =
      Map.ofEntries(
          Map.entry("listStorageRepositories", "GET /v1/repositories"),
          Map.entry(
              "connectStorageRepository",
              "POST /v1/repositories {\"repoId\": \"slow\", \"repoFormat\": \"localfs-1.0\","
                  + " \"connectionParameters\": {\"path\": \"/srv/slow\"}}"),
          Map.entry(
              "createStorageRepository",
              "POST /v1/repositories/slow/create {\"repoFormat\": \"localfs-1.0\","
                  + " \"connectionParameters\": {\"path\": \"/srv/slow\"}}"),
          Map.entry("getStorageRepository", "GET /v1/repositories/fast"),
          Map.entry("disconnectStorageRepository", "DELETE /v1/repositories/gone"),
          Map.entry("upgradeStorageRepository", "POST /v1/repositories/fast/upgrade"),
          Map.entry(
              "createVirtualDisk", "POST /v1/repositories/fast/virtual-disks {\"size\": 512}"),
          Map.entry(
              "createSnapshot",
              "POST /v1/repositories/fast/snapshots {\"baseVirtualDiskId\": \"{disk}\"}"),
          Map.entry("copyImage", "POST /v1/repositories/fast/copies {\"imageId\": \"{disk}\"}"),
          Map.entry("listImages", "GET /v1/repositories/fast/images?limit=1&kind=VirtualDisk"),
          Map.entry("getImage", "GET /v1/repositories/fast/images/{disk}?atLeast=1"),
          Map.entry("removeImage", "DELETE /v1/repositories/fast/images/{disk}"),
          Map.entry("getImageStatus", "GET /v1/repositories/fast/images/{disk}/status?wait=1s"),
          Map.entry("downloadImage", "GET /v1/repositories/fast/images/{disk}/data?more=true"),
          Map.entry("beginUpload", "POST /v1/repositories/fast/images/{other}/uploads"),
          Map.entry("getUpload", "GET /v1/repositories/fast/images/{disk}/uploads/{upload}"),
          Map.entry(
              "uploadImage", "PUT /v1/repositories/fast/images/{disk}/data?uploadId={upload} four"),
          Map.entry(
              "finishUpload",
              "POST /v1/repositories/fast/images/{disk}/uploads/{upload}/finish {\"sha256\": \""
                  + "0".repeat(64)
                  + "\"}"),
          Map.entry("listImageExtents", "GET /v1/repositories/fast/images/{disk}/extents?limit=1"),
          Map.entry("restoreImage", "POST /v1/repositories/fast/images/{disk}/restore"),
          Map.entry("explainImage", "GET /v1/repositories/fast/images/{disk}/explain?atLeast=1"),
          Map.entry(
              "setUserData", "PUT /v1/repositories/fast/images/{disk}/user-data {\"a\": [1]}"),
          Map.entry(
              "resizeImage", "POST /v1/repositories/fast/images/{disk}/resize {\"size\": 2097152}"),
          Map.entry("openImage", "POST /v1/repositories/fast/images/{disk}/open"),
          Map.entry(
              "closeImage",
              "POST /v1/repositories/fast/images/{disk}/close {\"openId\": \"{open}\"}"),
          Map.entry("listOpens", "GET /v1/repositories/fast/opens?host=host-1&limit=2"),
          Map.entry("getOpen", "GET /v1/repositories/fast/opens/{open}?atLeast=1"),
          Map.entry("closeOpen", "POST /v1/repositories/fast/opens/{open}/close {\"force\": true}"),
          Map.entry(
              "closeOpens",
              "POST /v1/repositories/fast/close-opens {\"hostId\": \"host-1\", \"dead\": true}"),
          Map.entry("checkStorageRepository", "POST /v1/repositories/fast/check"),
          Map.entry(
              "fixStorageRepository",
              "POST /v1/repositories/fast/fixes {\"fix\": {\"type\": \"mend\", \"imageId\": \"a\","
                  + " \"reason\": \"r\", \"bytesToMove\": 0, \"bytesToGain\": 0, \"priority\": 10,"
                  + " \"state\": \"waiting\", \"data\": \"v1:{fix}\"}, \"options\": {}}"),
          Map.entry("listFixes", "GET /v1/repositories/fast/fixes?atLeast=1"),
          Map.entry("pauseFix", "POST /v1/repositories/fast/fixes/{fix}/pause"),
          Map.entry("resumeFix", "POST /v1/repositories/fast/fixes/{fix}/resume"),
          Map.entry("cancelRequest", "POST /v1/repositories/fast/requests/lost-1/cancel"),
          Map.entry("listHosts", "GET /v1/hosts"),
          Map.entry("drainHost", "POST /v1/hosts/host-1/drain {\"drained\": false}"),
          Map.entry("fenceHost", "POST /v1/hosts/host-9/fence"),
          Map.entry("listTasks", "GET /v1/tasks?host=host-1"),
          Map.entry("stopTask", "POST /v1/tasks/host-1:{fix}:1/stop"),
          Map.entry("releaseTask", "POST /v1/tasks/host-1:{fix}:1/release"),
          Map.entry("setThrottle", "PUT /v1/throttle {\"bytesPerSecond\": 1048576}"));

  private static ServerUnderTest server = new ServerUnderTest();

  @BeforeAll
  static void seed() {
    server.seed();
    FakeStorage storage = server.storage.fake;
    storage.problems.add(
        new Problem(Problem.Kind.MISSING_VOLUME, "disk-1", "v.1.raw", "is gone", "restore it"));
    storage.poisoned = true;
    var _ = newFix();
    storage.poisoned = false;
  }

  @AfterAll
  static void stop() {
    server.close();
    VERTX.close().await();
  }

  /** With a disk that is open and takes an upload, and a fix that runs. */
  private static String prepared(String request) {
    StorageApi api = server.storage.api();
    String disk = server.seed();
    String open = api.openImage("fast", disk, new OpenRequest(true, "vm-1"), null).openId();
    String upload = api.beginUpload("fast", disk, BeginUploadRequest.RAW, null).uploadId();
    return request
        .replace("{disk}", disk)
        .replace("{open}", open)
        .replace("{other}", server.seed())
        .replace("{upload}", upload)
        .replace("{fix}", newFix());
  }

  /** One that the host has looked at. */
  private static String newFix() {
    var create =
        new CreateVirtualDiskRequest(
            512, null, JsonNodeFactory.instance.objectNode(), ImageOptions.DEFAULT);
    var _ = server.storage.api().createVirtualDisk("fast", create, null);
    return server.storage.api().listFixes("fast", 0).getLast().fixId();
  }

  static List<Operation> operations() {
    return Contract.operations();
  }

  private static JsonObject raw(Operation operation) {
    return FILE.getJsonObject("paths")
        .getJsonObject(operation.path())
        .getJsonObject(operation.method().toLowerCase(Locale.ROOT));
  }

  @Test
  void everyVerbIsAMethod() {
    Set<String> methods =
        Arrays.stream(StorageApi.class.getMethods())
            .map(Method::getName)
            .collect(Collectors.toSet());
    Set<String> built = operations().stream().map(Operation::id).collect(Collectors.toSet());
    assertThat(built).isEqualTo(methods).isEqualTo(Handlers.names());
  }

  @Test
  void errorCodesInTheFileAreTheOnesInTheCode() {
    JsonArray words =
        FILE.getJsonObject("components")
            .getJsonObject("schemas")
            .getJsonObject("Error")
            .getJsonObject("properties")
            .getJsonObject("code")
            .getJsonArray("enum");
    assertThat(words.stream().map(Object::toString))
        .containsExactlyInAnyOrderElementsOf(
            Arrays.stream(ErrorCode.values()).map(Enum::name).toList());
  }

  @ParameterizedTest
  @MethodSource("operations")
  void everyErrorResponseNamesCodesOfItsStatus(Operation operation) {
    JsonObject responses = raw(operation).getJsonObject("responses");
    assertThat(responses.fieldNames()).contains("400");
    for (String status : responses.fieldNames()) {
      if (status.startsWith("2")) {
        continue;
      }
      JsonObject response = responses.getJsonObject(status);
      String reference = response.getString("$ref");
      if (reference != null) {
        String name = reference.substring(reference.lastIndexOf('/') + 1);
        response = FILE.getJsonObject("components").getJsonObject("responses").getJsonObject(name);
      }
      JsonArray codes = response.getJsonArray("x-codes");
      assertThat(codes).as("%s %s", operation.id(), status).isNotEmpty();
      for (Object code : codes) {
        assertThat(ErrorCode.valueOf(code.toString()).httpStatus())
            .isEqualTo(Integer.parseInt(status));
      }
    }
  }

  @ParameterizedTest
  @MethodSource("operations")
  void everyRouteAnswersAsTheFileSays(Operation operation) {
    if (operation.streams()) {
      // This answer does not end: EventsTest covers it.
      return;
    }
    String request = REQUESTS.getOrDefault(operation.id(), "");
    assertThat(request).as("a request for " + operation.id()).isNotEmpty();
    if (operation.id().equals("disconnectStorageRepository")) {
      server.post(
          "/v1/repositories",
          "{\"repoId\": \"gone\", \"repoFormat\": \"localfs-1.0\", \"connectionParameters\": {}}");
    }
    String[] parts = prepared(request).split(" ", 3);
    String body = parts.length == 3 ? parts[2] : null;
    Map<String, String> headers =
        operation.data()
            ? Map.of("Content-Range", "bytes 0-3/1048576", "Content-Type", Answer.BYTES)
            : Map.of();
    HttpResponse<String> response = server.send(parts[0], parts[1], body, headers);
    assertThat(response.statusCode()).as(response.body()).isEqualTo(operation.status());
    judge(operation, response);
  }

  @ParameterizedTest
  @MethodSource("operations")
  void refusalsLookAsTheFileSays(Operation operation) {
    String path = operation.path().replaceAll("\\{.*?}", "x");
    judge(operation, server.send(operation.method(), path + "?colour=red", null, Map.of()));
  }

  private static void judge(Operation operation, HttpResponse<String> response) {
    ValidatableResponse answer =
        response.body().isEmpty()
            ? ValidatableResponse.create(response.statusCode(), Map.of("Location", "x"))
            : ValidatableResponse.create(
                response.statusCode(),
                Map.of("Location", "x"),
                Buffer.buffer(response.body()),
                response.headers().firstValue("Content-Type").orElseThrow());
    ResponseValidator.create(VERTX, CONTRACT).validate(answer, operation.id()).await();
  }

  @Test
  void creatingSaysWhere() {
    var response = server.post("/v1/repositories/fast/virtual-disks", "{\"size\": 512}");
    String id = new JsonObject(response.body()).getString("imageId");
    assertThat(response.headers().firstValue("Location"))
        .contains("/v1/repositories/fast/images/" + id);
  }

  static Stream<String> bodies() {
    return Stream.of(
        "{\"size\": 0}",
        "{\"size\": 512}",
        "{\"size\": 513}",
        "{\"size\": 1024.5}",
        "{\"size\": -512}",
        "{\"size\": 70368744177664}",
        "{\"size\": 70368744178176}",
        "{\"size\": 9223372036854775807}",
        "{\"size\": 1e30}",
        "{\"size\": \"512\"}",
        "{\"size\": null}",
        "{\"size\": {}}",
        "{}",
        "[]",
        "{\"size\": 512, \"baseSnapshotId\": null}",
        "{\"size\": 512, \"baseSnapshotId\": \"a\"}",
        "{\"size\": 512, \"baseSnapshotId\": \"\"}",
        "{\"size\": 512, \"baseSnapshotId\": \"a b\"}",
        "{\"size\": 512, \"baseSnapshotId\": \"" + "a".repeat(128) + "\"}",
        "{\"size\": 512, \"baseSnapshotId\": \"" + "a".repeat(129) + "\"}",
        "{\"size\": 512, \"userData\": {\"a\": [1, {\"b\": null}]}}",
        "{\"size\": 512, \"userData\": \"a\"}",
        "{\"size\": 512, \"options\": {}}",
        "{\"size\": 512, \"options\": {\"autoFix\": false, \"strategy\": \"performance\"}}",
        "{\"size\": 512, \"options\": {\"autoFix\": 1}}",
        "{\"size\": 512, \"options\": {\"strategy\": \"fast\"}}",
        "{\"size\": 512, \"options\": {\"colour\": \"red\"}}",
        "{\"size\": 512, \"options\": {\"participatingRepositories\": [\"a\", \"b\"]}}",
        "{\"size\": 512, \"options\": {\"participatingRepositories\": []}}",
        "{\"size\": 512, \"options\": {\"participatingRepositories\": [\"/\"]}}",
        "{\"size\": 512, \"options\": {\"imageHints\": {\"a\": \"b\"}}}",
        "{\"size\": 512, \"options\": {\"imageHints\": {\"a\": \"b/\"}}}",
        "{\"size\": 512, \"extra\": 1}");
  }

  @ParameterizedTest
  @MethodSource("bodies")
  void ourChecksAgreeWithTheLibrarys(String body) {
    var schema =
        requireNonNull(
                CONTRACT
                    .operation("createVirtualDisk")
                    .getRequestBody()
                    .getContent()
                    .get("application/json"))
            .getSchema();
    OutputUnit verdict =
        CONTRACT.getSchemaRepository().validator(schema).validate(Json.decodeValue(body));
    int status = server.post("/v1/repositories/fast/virtual-disks", body).statusCode();
    assertThat(status).isEqualTo(verdict.getValid() ? 201 : 400);
  }

  /** The library lets `$` match before a last newline, and does not take 1024.0 for an integer. */
  @Test
  void whereWeDifferFromTheLibraryJsonSchemaIsOnOurSide() {
    String path = "/v1/repositories/fast/virtual-disks";
    assertThat(server.post(path, "{\"size\": 1024.0}").statusCode()).isEqualTo(201);
    String newline = "{\"size\": 512, \"baseSnapshotId\": \"a\\n\"}";
    assertThat(server.post(path, newline).statusCode()).isEqualTo(400);
  }

  @Test
  void everyExampleKeepsItsSchema() {
    Set<String> checked = new TreeSet<>();
    for (Operation operation : operations()) {
      JsonObject content =
          raw(operation).getJsonObject("requestBody", new JsonObject()).getJsonObject("content");
      JsonObject media = content == null ? null : content.getJsonObject("application/json");
      if (media != null && operation.body() != null) {
        Object example = media.getValue("example");
        operation.body().check(JsonText.read(example.toString().getBytes(UTF_8)), Contract.BODY);
        checked.add(operation.id());
      }
    }
    assertThat(checked).contains("createVirtualDisk", "connectStorageRepository");
  }
}
