package io.quarry.it.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.quarry.common.api.CheckOptions;
import io.quarry.common.api.CopyImageRequest;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.ImageOptions;
import io.quarry.common.api.Json;
import io.quarry.common.client.StorageClient;
import io.quarry.common.model.Strategy;
import io.quarry.it.box.Box;
import java.net.URI;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The refusals of each operation that are cheap to provoke; `.ci/refusals.py` has the others. */
@Timeout(180)
final class RefusalsIT {
  private static final long SIZE = 1 << 20;
  private static final String MAIN = "/v1/repositories/main";
  private static final String NOBODY = "00000000-0000-4000-8000-000000000000";

  /** The id of a request that has made a disk. */
  private static final String USED = "made";

  @TempDir static Path directory;

  private static final Http HTTP = new Http();
  private static Box box;
  private static URI agent;
  private static String disk;
  private static String snapshot;
  private static String fix;

  @BeforeAll
  static void start() throws Exception {
    box = Box.pair(directory);
    agent = box.host(0).url();
    StorageClient client = box.client(0);
    box.connect("main");
    disk = Box.disk(client, "main", SIZE).imageId();
    snapshot = Box.snapshot(client, "main", disk).imageId();
    Box.awaitOptimized(client, "main", disk);
    Box.awaitOptimized(client, "main", snapshot);
    var waiting = new ImageOptions(false, Strategy.SPACE, null, Map.of());
    client.createVirtualDisk("main", Box.newDisk(SIZE, null, waiting), USED);
    box.connect("far");
    var copy = new CopyImageRequest(snapshot, null, Json.MAPPER.createObjectNode(), waiting);
    client.copyImage("far", copy, null);
    var found = client.checkStorageRepository("main", CheckOptions.DEFAULT).fixes().getFirst();
    fix = "{\"fix\": %s}".formatted(Json.MAPPER.writeValueAsString(found));
  }

  @AfterAll
  static void stop() {
    HTTP.close();
    if (box != null) {
      box.close();
    }
  }

  private static void refused(
      ErrorCode code, String method, String path, String body, String... headers) throws Exception {
    Http.Answer answer =
        path.contains("uploadId=")
            ? HTTP.sendBytes(agent, method, named(path), new byte[512], headers)
            : HTTP.send(agent, method, named(path), named(body), headers);
    assertThat(answer.status()).as(answer.body().toString()).isEqualTo(code.httpStatus());
    assertThat(answer.text("code")).as(answer.body().toString()).isEqualTo(code.name());
  }

  private static String named(String text) {
    return text.replace("DISK", disk)
        .replace("SNAPSHOT", snapshot)
        .replace("NOBODY", NOBODY)
        .replace("FIX", fix);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          GET    | /v1/repositories
          POST   | /v1/repositories
          GET    | /v1/repositories/main
          DELETE | /v1/repositories/main
          POST   | /v1/repositories/main/create
          POST   | /v1/repositories/main/upgrade
          POST   | /v1/repositories/main/virtual-disks
          POST   | /v1/repositories/main/snapshots
          POST   | /v1/repositories/main/copies
          GET    | /v1/repositories/main/images
          GET    | /v1/repositories/main/images/DISK
          DELETE | /v1/repositories/main/images/DISK
          GET    | /v1/repositories/main/images/DISK/status
          GET    | /v1/repositories/main/images/DISK/explain
          PUT    | /v1/repositories/main/images/DISK/user-data
          POST   | /v1/repositories/main/images/DISK/resize
          POST   | /v1/repositories/main/images/DISK/restore
          POST   | /v1/repositories/main/images/DISK/open
          POST   | /v1/repositories/main/images/DISK/close
          GET    | /v1/repositories/main/images/DISK/data
          PUT    | /v1/repositories/main/images/DISK/data
          GET    | /v1/repositories/main/images/DISK/extents
          POST   | /v1/repositories/main/images/DISK/uploads
          GET    | /v1/repositories/main/images/DISK/uploads/NOBODY
          POST   | /v1/repositories/main/images/DISK/uploads/NOBODY/finish
          GET    | /v1/repositories/main/opens
          GET    | /v1/repositories/main/opens/NOBODY
          POST   | /v1/repositories/main/opens/NOBODY/close
          POST   | /v1/repositories/main/close-opens
          POST   | /v1/repositories/main/check
          GET    | /v1/repositories/main/fixes
          POST   | /v1/repositories/main/fixes
          POST   | /v1/repositories/main/fixes/mend-NOBODY/pause
          POST   | /v1/repositories/main/fixes/mend-NOBODY/resume
          POST   | /v1/repositories/main/requests/r-1/cancel
          GET    | /v1/hosts
          POST   | /v1/hosts/host-1/drain
          POST   | /v1/hosts/host-1/fence
          GET    | /v1/tasks
          POST   | /v1/tasks/a:b:1/stop
          POST   | /v1/tasks/a:b:1/release
          PUT    | /v1/throttle
          GET    | /v1/events
          """)
  void unknownArgumentIsRefused(String method, String path) throws Exception {
    refused(ErrorCode.INVALID_ARGUMENT, method, path + "?colour=red", "");
  }

  private static final String[] RANGE = {"Content-Range", "bytes 0-511/1048576"};

  /** Unknown names: the last column is the code when the repository is known. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      textBlock =
          """
          GET    |                            | ``                            |
          DELETE |                            | ``                            |
          POST   | /upgrade                   | ``                            |
          POST   | /virtual-disks             | {"size": 1048576, "baseSnapshotId": "NOBODY"} | IMAGE_NOT_FOUND
          POST   | /snapshots                 | {"baseVirtualDiskId": "NOBODY"} | IMAGE_NOT_FOUND
          POST   | /copies                    | {"imageId": "NOBODY"}         | IMAGE_NOT_FOUND
          GET    | /images                    | ``                            |
          GET    | /images/NOBODY             | ``                            | IMAGE_NOT_FOUND
          DELETE | /images/NOBODY             | ``                            | IMAGE_NOT_FOUND
          GET    | /images/NOBODY/status      | ``                            | IMAGE_NOT_FOUND
          GET    | /images/NOBODY/explain     | ``                            | IMAGE_NOT_FOUND
          PUT    | /images/NOBODY/user-data   | {}                            | IMAGE_NOT_FOUND
          POST   | /images/NOBODY/resize      | {"size": 2097152}             | IMAGE_NOT_FOUND
          POST   | /images/NOBODY/restore     | ``                            | IMAGE_NOT_FOUND
          POST   | /images/NOBODY/open        | {}                            | IMAGE_NOT_FOUND
          POST   | /images/DISK/close         | {"openId": "NOBODY"}          | OPEN_NOT_FOUND
          GET    | /images/NOBODY/data        | ``                            | IMAGE_NOT_FOUND
          PUT    | /images/DISK/data?uploadId=NOBODY | ``                     | OPEN_NOT_FOUND
          GET    | /images/NOBODY/extents     | ``                            | IMAGE_NOT_FOUND
          POST   | /images/NOBODY/uploads     | ``                            | IMAGE_NOT_FOUND
          GET    | /images/DISK/uploads/NOBODY | ``                           | OPEN_NOT_FOUND
          POST   | /images/DISK/uploads/NOBODY/finish | ``                    | OPEN_NOT_FOUND
          GET    | /opens                     | ``                            |
          GET    | /opens/NOBODY              | ``                            | OPEN_NOT_FOUND
          POST   | /opens/NOBODY/close        | ``                            | OPEN_NOT_FOUND
          POST   | /close-opens               | {"hostId": "gone", "dead": true} |
          POST   | /check                     | {}                            |
          GET    | /fixes                     | ``                            |
          POST   | /fixes                     | FIX                           |
          POST   | /fixes/mend-NOBODY/pause   | ``                            | FIX_NOT_FOUND
          POST   | /fixes/mend-NOBODY/resume  | ``                            | FIX_NOT_FOUND
          POST   | /requests/r-1/cancel       | ``                            |
          """)
  void unknownNameIsRefused(String method, String path, String body, ErrorCode code)
      throws Exception {
    String rest = path == null ? "" : path;
    refused(
        ErrorCode.REPOSITORY_NOT_CONNECTED,
        method,
        "/v1/repositories/nowhere" + rest,
        body,
        headers(rest));
    if (code != null) {
      refused(code, method, MAIN + rest, body, headers(rest));
    }
  }

  private static String[] headers(String path) {
    return path.contains("uploadId=") ? RANGE : new String[0];
  }

  /** The first call began work that is over; a repeated call does not begin it again. */
  @Test
  void repeatedCallDoesNotRepeatFinishedWork() throws Exception {
    String gone = Box.disk(box.client(0), "main", SIZE).imageId();
    Box.awaitOptimized(box.client(0), "main", gone);
    String image = MAIN + "/images/" + gone;
    String opened =
        HTTP.post(agent, image + "/open", "{}", "Idempotency-Key", "open-1").text("openId");
    assertThat(
            HTTP.post(agent, image + "/close", "{\"openId\": \"%s\"}".formatted(opened)).status())
        .isEqualTo(200);
    refused(ErrorCode.OPEN_NOT_FOUND, "POST", image + "/open", "{}", "Idempotency-Key", "open-1");
    assertThat(HTTP.post(agent, image + "/uploads", "", "Idempotency-Key", "up-1").status())
        .isEqualTo(200);
    assertThat(HTTP.send(agent, "DELETE", image, "").status()).isEqualTo(200);
    await()
        .atMost(Box.PATIENCE)
        .until(() ->
            HTTP.post(agent, image + "/uploads", "", "Idempotency-Key", "up-1").status() != 200);
    refused(ErrorCode.OPEN_NOT_FOUND, "POST", image + "/uploads", "", "Idempotency-Key", "up-1");
  }

  @Test
  void bytesBehindTheEndHaveNoExtents() throws Exception {
    String behind = MAIN + "/images/SNAPSHOT/extents?offset=2097152";
    refused(ErrorCode.RANGE_NOT_SATISFIABLE, "GET", behind, "");
  }

  @Test
  void storageThatIsConnectedIsNotMadeIntoAnotherRepository() throws Exception {
    refused(
        ErrorCode.REPOSITORY_IN_USE,
        "POST",
        "/v1/repositories/second/create",
        "{\"repoFormat\": \"localfs-1.0\", \"connectionParameters\": {\"path\": \"%s\"}}"
            .formatted(box.repository("main")));
  }

  @Test
  void diskOverASnapshotThatIsNotCopiedYetIsRefused() throws Exception {
    String over =
        """
        {"size": 1048576, "baseSnapshotId": "SNAPSHOT", "options": {"participatingRepositories": ["far"]}}
        """;
    refused(ErrorCode.IMAGE_BROKEN, "POST", "/v1/repositories/far/virtual-disks", over.strip());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      textBlock =
          """
          POST   | /upgrade                    | ``
          POST   | /virtual-disks              | {"size": 2097152}
          POST   | /snapshots                  | {"baseVirtualDiskId": "DISK"}
          POST   | /copies                     | {"imageId": "DISK"}
          DELETE | /images/DISK                | ``
          PUT    | /images/DISK/user-data      | {}
          POST   | /images/DISK/resize         | {"size": 2097152}
          POST   | /images/DISK/restore        | ``
          POST   | /images/DISK/open           | {}
          POST   | /images/DISK/close          | {"openId": "NOBODY"}
          POST   | /images/DISK/uploads        | ``
          POST   | /images/DISK/uploads/NOBODY/finish | ``
          POST   | /opens/NOBODY/close         | ``
          POST   | /close-opens                | {"hostId": "gone", "dead": true}
          POST   | /fixes                      | FIX
          POST   | /fixes/mend-NOBODY/pause    | ``
          POST   | /fixes/mend-NOBODY/resume   | ``
          """)
  void idOfAnotherRequestIsRefused(String method, String path, String body) throws Exception {
    refused(ErrorCode.REQUEST_ID_REUSED, method, MAIN + path, body, "Idempotency-Key", USED);
  }
}
