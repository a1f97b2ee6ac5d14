package io.quarry.agent.server;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import io.quarry.common.api.ErrorBody;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.Json;
import io.quarry.common.model.Limits;
import java.net.http.HttpResponse;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Each refusal names the fault in the request and the remedy. */
final class BadInputTest {
  private static ServerUnderTest server = new ServerUnderTest();
  private static final String DISKS = "/v1/repositories/fast/virtual-disks";

  @BeforeAll
  static void seed() {
    server.seed();
  }

  @AfterAll
  static void stop() {
    server.close();
  }

  private static ErrorBody refusal(HttpResponse<String> response) {
    assertThat(response.headers().firstValue("Content-Type")).contains("application/json");
    try {
      ErrorBody body = Json.MAPPER.readValue(response.body(), ErrorBody.class);
      assertThat(response.statusCode()).isEqualTo(body.code().httpStatus());
      assertThat(body.message()).isNotBlank().doesNotContain("Exception", "io.quarry", "\tat ");
      assertThat(body.remedy()).isNotBlank();
      return body;
    } catch (JsonProcessingException e) {
      throw new AssertionError(response.statusCode() + " " + response.body(), e);
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      textBlock =
          """
          {"size": 0}                            | size              | size is 0 and must be at least 512.
          {"size": -1}                           | size              | size is -1 and must be at least 512.
          {"size": 513}                          | size              | size is 513 and must be a multiple of 512.
          {"size": 9223372036854775808}          | size              | size is "9223372036854775808" and must be at most 70368744177664.
          {"size": 70368744178176}               | size              | size is 70368744178176 and must be at most 70368744177664.
          {"size": 1e30}                         | size              | size is "1E+30" and must be at most 70368744177664.
          {"size": 1e999999999}                  | size              | size is "1E+999999999" and must be at most 70368744177664.
          {"size": -1e999999999}                 | size              | size is "-1E+999999999" and must be at least 512.
          {"size": 1e-999999999}                 | size              | size is "1E-999999999" and must be at least 512.
          {"size": 1024.5}                       | size              | size is "1024.5" and must be a whole number.
          {"size": "1G"}                         | size              | size is "1G" and must be a whole number.
          {"size": null}                         | size              | size is null and must be a whole number.
          {"size": true}                         | size              | size is true and must be a whole number.
          {"size": [512]}                        | size              | size is a list and must be a whole number.
          {}                                     | size              | size is missing.
          {"size": 512, "colour": "red"}         | colour            | There is no field colour here.
          {"size": 512, "size": 1024}            | body              | `The request body is not JSON at line 1, column 21: Duplicate Object property "size"`
          {"size": 512, "options": {"fast": 1}}  | options.fast      | There is no field options.fast here.
          {"size": 512, "options": {"strategy": "speed"}} | options.strategy | options.strategy is "speed" and must be space or performance.
          {"size": 512, "options": {"autoFix": "no"}} | options.autoFix | options.autoFix is "no" and must be true or false.
          {"size": 512, "options": {"participatingRepositories": []}} | options.participatingRepositories | options.participatingRepositories is a list of 0 and must have 1 to 1000 entries.
          {"size": 512, "options": {"participatingRepositories": ["a b"]}} | options.participatingRepositories[0] | options.participatingRepositories[0] is "a b" and must look like ^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$.
          {"size": 512, "options": {"imageHints": {"a": 1}}} | options.imageHints.a | options.imageHints.a is 1 and must be text.
          {"size": 512, "options": 7}            | options           | options is 7 and must be a JSON object.
          {"size": 512, "userData": []}          | userData          | userData is a list and must be a JSON object.
          {"size": 512, "baseSnapshotId": "../x"} | baseSnapshotId   | baseSnapshotId is "../x" and must look like ^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$.
          {"size": 512                           | body              | The request body ends in the middle of a JSON value.
          {"size": 512} x                        | body              | `The request body is not JSON at line 1, column 15: Unrecognized token 'x': was expecting (JSON String, Number, Array, Object or token 'null', 'true' or ...`
          [1]                                    | body              | body is a list and must be a JSON object.
          null                                   | body              | body is null and must be a JSON object.
          """)
  void bodyIsRefusedInPlainWords(String body, String subject, String message) {
    ErrorBody refusal = refusal(server.post(DISKS, body));
    assertThat(refusal.code()).isEqualTo(ErrorCode.INVALID_ARGUMENT);
    assertThat(refusal.subject()).isEqualTo(subject);
    if (subject.equals("body")) {
      assertThat(refusal.message()).startsWith(message.substring(0, 20));
    } else {
      assertThat(refusal.message()).isEqualTo(message);
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          GET    | /v1/repositories/fast/images?limit=0                 | INVALID_ARGUMENT   | limit
          GET    | /v1/repositories/fast/images?limit=1001              | INVALID_ARGUMENT   | limit
          GET    | /v1/repositories/fast/images?limit=ten               | INVALID_ARGUMENT   | limit
          GET    | /v1/repositories/fast/images?kind=Template           | INVALID_ARGUMENT   | kind
          GET    | /v1/repositories/fast/images?state=good              | INVALID_ARGUMENT   | state
          GET    | /v1/repositories/fast/images?colour=red              | INVALID_ARGUMENT   | colour
          GET    | /v1/repositories/fast/images?limit=1&limit=2         | INVALID_ARGUMENT   | limit
          GET    | /v1/repositories/fast/images?label=                  | INVALID_ARGUMENT   | label
          GET    | /v1/repositories/fast/images?atLeast=9223372036854775808 | INVALID_ARGUMENT | atLeast
          GET    | /v1/repositories/fast/images/disk-1/status?wait=soon | INVALID_ARGUMENT | wait
          GET    | /v1/repositories/fast/images/disk-1/status?wait=P1X  | INVALID_ARGUMENT | wait
          GET    | /v1/repositories/fast/images/disk-1/status?wait=61s  | INVALID_ARGUMENT | wait
          GET    | /v1/repositories/fast/images/disk-1/status?wait=1s&until=done | INVALID_ARGUMENT | until
          GET    | /v1/repositories/fast/images/..%2F..%2Fetc           | INVALID_ARGUMENT   | imageId
          GET    | /v1/repositories/a+b                                 | INVALID_ARGUMENT   | repoId
          GET    | /v1/repositories/a%20b                               | INVALID_ARGUMENT   | repoId
          DELETE | /v1/repositories/fast/images/disk-1?autoFix=yes | INVALID_ARGUMENT   | autoFix
          DELETE | /v1/repositories/fast/images/disk-1?retain=PX   | INVALID_ARGUMENT   | retain
          POST   | /v1/repositories/fast/virtual-disks                  | INVALID_ARGUMENT   | body
          POST   | /v1/repositories/fast/images/disk-1/close       | INVALID_ARGUMENT   | body
          GET    | /v1/repositories/slow                                | REPOSITORY_NOT_CONNECTED | slow
          GET    | /v1/repositories/fast/images/none                    | IMAGE_NOT_FOUND    | none
          GET    | /v1/nothing                                          | NOT_FOUND          | /v1/nothing
          GET    | /nothing                                             | NOT_FOUND          | /nothing
          GET    | /v1/repositories/                                    | NOT_FOUND          | /v1/repositories/
          PUT    | /v1/repositories                                     | METHOD_NOT_ALLOWED | /v1/repositories
          POST   | /health                                              | METHOD_NOT_ALLOWED | /health
          GET    | /internal/v1/submit                                  | METHOD_NOT_ALLOWED | /internal/v1/submit
          GET    | /v1/events?since=a.b                                 | INVALID_ARGUMENT   | since
          PUT    | /v1/repositories/fast/images/disk-1/data        | INVALID_ARGUMENT   | Content-Type
          """)
  void requestIsRefusedAndNamesItsSubject(
      String method, String path, ErrorCode code, String subject) {
    ErrorBody refusal = refusal(server.send(method, path, null, Map.of()));
    assertThat(refusal.code()).isEqualTo(code);
    assertThat(refusal.subject()).isEqualTo(subject);
  }

  @Test
  void wrongMethodSaysWhatIsAllowed() {
    HttpResponse<String> response = server.send("PUT", "/v1/repositories", null, Map.of());
    assertThat(response.headers().firstValue("Allow")).contains("GET, POST");
  }

  @Test
  void wrongContentTypeIsRefused() {
    var response =
        server.send("POST", DISKS, "{\"size\": 512}", Map.of("Content-Type", "text/plain"));
    ErrorBody refusal = refusal(response);
    assertThat(refusal.subject()).isEqualTo("Content-Type");
    assertThat(refusal.message())
        .isEqualTo("Content-Type is \"text/plain\" and must be application/json.");
  }

  @Test
  void readThatHasNoBodyMayHaveAnyType() {
    var header = Map.of("Content-Type", "text/plain");
    assertThat(server.send("GET", "/v1/repositories", null, header).statusCode()).isEqualTo(200);
  }

  @Test
  void contentTypeMayNameItsCharset() {
    var header = Map.of("Content-Type", "Application/JSON; charset=utf-8");
    assertThat(server.send("POST", DISKS, "{\"size\": 512}", header).statusCode()).isEqualTo(201);
  }

  @Test
  void brokenRequestIdIsRefused() {
    var header = Map.of("Idempotency-Key", "a b");
    assertThat(refusal(server.send("POST", DISKS, "{\"size\": 512}", header)).subject())
        .isEqualTo("Idempotency-Key");
  }

  @Test
  void connectingCreatesNothing() {
    var response =
        server.post(
            "/v1/repositories",
            "{\"repoId\": \"a\", \"repoFormat\": \"localfs-1.0\","
                + " \"connectionParameters\": {}, \"create\": true}");
    assertThat(refusal(response).message()).isEqualTo("There is no field create here.");
  }

  @Test
  void bodyWhereNoneIsTakenIsRefused() {
    var response = server.post("/v1/tasks/host-1:fix-1:3/stop", "{}");
    assertThat(refusal(response).message()).isEqualTo("stopTask takes no request body.");
  }

  /** Case 12.24. */
  @Test
  void zerosWithABodyAreRefused() {
    String image = "/v1/repositories/fast/images/" + server.seed();
    server.post(image + "/uploads", "{}");
    String path = image + "/data?uploadId=upload-1&zeros=";
    var headers = Map.of("Content-Type", Answer.BYTES, "Content-Range", "bytes 0-3/1048576");
    assertThat(refusal(server.send("PUT", path + "true", "four", headers)).subject())
        .isEqualTo("body");
    assertThat(server.send("PUT", path + "true", "", headers).statusCode()).isEqualTo(200);
    assertThat(server.send("PUT", path + "false", "four", headers).statusCode()).isEqualTo(200);
  }

  @Test
  void tooLargeBodyIsRefusedWithItsLimit() {
    ErrorBody refusal = refusal(server.post(DISKS, " ".repeat((1 << 20) + 1)));
    assertThat(refusal.code()).isEqualTo(ErrorCode.PAYLOAD_TOO_LARGE);
    assertThat(refusal.message()).contains("1048576");
  }

  @Test
  void tooLargeUserDataIsRefused() {
    String text = "x".repeat(64 << 10);
    var response = server.post(DISKS, "{\"size\": 512, \"userData\": {\"a\": \"" + text + "\"}}");
    assertThat(refusal(response).subject()).isEqualTo("userData");
  }

  @Test
  void deepNestingIsRefused() {
    String deep = "[".repeat(Limits.JSON_DEPTH_MAX) + "]".repeat(Limits.JSON_DEPTH_MAX);
    var response = server.post(DISKS, "{\"size\": 512, \"userData\": {\"a\": " + deep + "}}");
    assertThat(refusal(response).subject()).isEqualTo("body");
  }

  /** Case 12.21: the server accepted user data that no record can hold. */
  @Test
  void userDataNestedTooDeepIsRefused() {
    String deepest = nested(Limits.USER_DATA_DEPTH_MAX);
    assertThat(server.post(DISKS, "{\"size\": 512, \"userData\": " + deepest + "}").statusCode())
        .isEqualTo(201);
    String deeper = nested(Limits.USER_DATA_DEPTH_MAX + 1);
    var response = server.post(DISKS, "{\"size\": 512, \"userData\": " + deeper + "}");
    assertThat(refusal(response).subject()).isEqualTo("userData");
  }

  private static String nested(int depth) {
    return "{\"a\":".repeat(depth - 1) + "{}" + "}".repeat(depth - 1);
  }

  @Test
  void tooLongHeadersAreRefused() {
    var response = server.send("GET", "/health", null, Map.of("X-Long", "x".repeat(20_000)));
    assertThat(refusal(response).code()).isEqualTo(ErrorCode.INVALID_ARGUMENT);
  }

  @Test
  void optionsInTwoPlacesAreRefused() {
    String path = "/v1/repositories/fast/images/disk-1?autoFix=true";
    var response = server.send("DELETE", path, "{\"autoFix\": true}", Map.of());
    assertThat(refusal(response).subject()).isEqualTo("options");
  }

  @Test
  void nothingIsMadeByARefusedCall() {
    int before = server.storage.fake.imageCount();
    refusal(server.post(DISKS, "{\"size\": 513}"));
    assertThat(server.storage.fake.imageCount()).isEqualTo(before);
  }
}
