package io.quarry.it.transfer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.quarry.common.api.BeginUploadRequest;
import io.quarry.common.api.DownloadRequest;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.FinishUploadRequest;
import io.quarry.common.api.ImageData;
import io.quarry.common.api.OpenRequest;
import io.quarry.common.api.StorageException;
import io.quarry.common.api.UploadInfo;
import io.quarry.common.api.UploadRange;
import io.quarry.common.client.StorageClient;
import io.quarry.it.box.Box;
import io.quarry.it.box.FixQueries;
import io.quarry.it.box.QemuGuest;
import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Uploads over HTTP to real agents: a test per promise. */
@Timeout(300)
final class UploadIT {
  private static final int MIB = 1 << 20;
  private static final int SIZE = 16 * MIB;
  private static final byte[] CONTENT = Pattern.bytes(1, SIZE);
  private static final String SHA256 = Pattern.sha256(CONTENT);

  @TempDir static Path directory;

  private static Box box;
  private static StorageClient client;
  private static StorageClient other;
  private static Raw raw;

  @BeforeAll
  static void start() throws Exception {
    box = Box.pair(directory, "main");
    client = box.client(0);
    other = box.client(1);
    raw = new Raw();
  }

  @AfterAll
  static void stop() {
    if (raw != null) {
      raw.close();
    }
    if (box != null) {
      box.close();
    }
  }

  private static String disk() throws Exception {
    String disk = Box.disk(client, "main", SIZE).imageId();
    Box.awaitOptimized(client, "main", disk);
    QemuGuest.use(client, "main", disk, "write -P 5 0 " + SIZE);
    return disk;
  }

  private static UploadInfo put(String disk, String uploadId, int from, int to) {
    var range = new UploadRange(from, to - from, SIZE, false, null);
    return client.uploadImage("main", disk, uploadId, range, stream(from, to));
  }

  private static InputStream stream(int from, int to) {
    return new ByteArrayInputStream(CONTENT, from, to - from);
  }

  private static byte[] content(StorageClient from, String image) throws Exception {
    try (ImageData data = from.downloadImage("main", image, DownloadRequest.WHOLE)) {
      return data.content().readAllBytes();
    }
  }

  @Test
  void contentIsReplacedInOneCommitOnceItIsVerified() throws Exception {
    String disk = disk();
    String snapshot = Box.snapshot(client, "main", disk).imageId();
    Box.awaitOptimized(client, "main", disk);
    UploadInfo begun = client.beginUpload("main", disk, BeginUploadRequest.RAW, "begin-1");
    assertThat(client.beginUpload("main", disk, BeginUploadRequest.RAW, "begin-1").uploadId())
        .isEqualTo(begun.uploadId());
    String id = begun.uploadId();
    assertThat(begun.size()).isEqualTo(SIZE);

    var zeros = new UploadRange(0, MIB, SIZE, true, null);
    assertThat(client.uploadImage("main", disk, id, zeros, InputStream.nullInputStream()).offset())
        .isEqualTo(MIB);
    assertThat(put(disk, id, MIB, 12 * MIB + 5).offset()).isEqualTo(12 * MIB + 5);
    assertThat(put(disk, id, 2 * MIB, 3 * MIB).offset())
        .as("a range that is stored already")
        .isEqualTo(12 * MIB + 5);
    assertThat(put(disk, id, 12 * MIB, 13 * MIB).offset())
        .as("a range of which a part is stored")
        .isEqualTo(13 * MIB);
    assertThat(other.getUpload("main", disk, id).offset()).isEqualTo(13 * MIB);
    refused(ErrorCode.RANGE_NOT_SATISFIABLE, () -> put(disk, id, 14 * MIB, 15 * MIB));
    refused(
        ErrorCode.RANGE_NOT_SATISFIABLE,
        () -> client.finishUpload("main", disk, id, new FinishUploadRequest(SHA256), null));
    put(disk, id, 13 * MIB, SIZE);

    refused(
        ErrorCode.DIGEST_MISMATCH,
        () -> client.finishUpload("main", disk, id, new FinishUploadRequest("0".repeat(64)), null));
    UploadInfo done =
        client.finishUpload("main", disk, id, new FinishUploadRequest(SHA256), "finish-1");
    assertThat(done.finished()).isTrue();
    assertThat(
            other
                .finishUpload("main", disk, id, new FinishUploadRequest(SHA256), "finish-1")
                .commit())
        .as("a repeated call has no second effect")
        .isEqualTo(done.commit());
    assertThat(content(other, disk)).isEqualTo(CONTENT);
    assertThat(content(other, snapshot)).isEqualTo(Pattern.filled(5, SIZE));
    refused(ErrorCode.OPEN_NOT_FOUND, () -> client.getUpload("main", disk, id));

    await().atMost(Box.PATIENCE).until(() -> FixQueries.found(client, "main").isEmpty());
    QemuGuest.use(client, "main", disk, "write -P 9 0 512");
  }

  @Test
  void diskKeepsItsContentWhenAnUploadIsGivenUp() throws Exception {
    String disk = disk();
    List<String> before = box.volumes("main");
    String id = client.beginUpload("main", disk, BeginUploadRequest.RAW, null).uploadId();
    put(disk, id, 0, 10 * MIB);
    assertThat(box.volumes("main")).hasSize(before.size() + 1);
    assertThat(FixQueries.found(other, "main")).as("nothing is stray").isEmpty();
    refused(
        ErrorCode.IMAGE_IN_USE,
        () -> other.openImage("main", disk, new OpenRequest(false, "vm"), null));
    refused(ErrorCode.IMAGE_IN_USE, () -> content(other, disk));
    refused(
        ErrorCode.IMAGE_IN_USE,
        () -> other.beginUpload("main", disk, BeginUploadRequest.RAW, null));

    other.closeImage("main", disk, id, null);
    refused(ErrorCode.OPEN_NOT_FOUND, () -> put(disk, id, 10 * MIB, 11 * MIB));
    assertThat(content(client, disk)).isEqualTo(Pattern.filled(5, SIZE));
    await().atMost(Box.PATIENCE).until(() -> box.volumes("main").equals(before));
    refused(
        ErrorCode.IMAGE_KIND_MISMATCH,
        () ->
            client.beginUpload(
                "main",
                Box.snapshot(client, "main", disk).imageId(),
                BeginUploadRequest.RAW,
                null));
  }

  @Test
  void rangesThatAreNotWhatTheySayAreRefused() throws Exception {
    String disk = disk();
    String id = client.beginUpload("main", disk, BeginUploadRequest.RAW, null).uploadId();
    String path = "/v1/repositories/main/images/" + disk + "/data?uploadId=" + id;
    byte[] four = Arrays.copyOfRange(CONTENT, 2 * MIB, 2 * MIB + 4);
    String digest = "sha-256=:" + "A".repeat(43) + "=:";
    assertThat(
            raw.put(
                    box.host(0).url(),
                    path,
                    four,
                    "Content-Range",
                    "bytes 0-3/" + SIZE,
                    "Content-Digest",
                    digest)
                .statusCode())
        .isEqualTo(400);
    for (String bad :
        List.of(
            "bytes 0-4/" + SIZE, "bytes 0-2/" + SIZE, "bytes 0-3/4", "bytes 3-0/" + SIZE, "x")) {
      assertThat(raw.put(box.host(0).url(), path, four, "Content-Range", bad).statusCode())
          .as(bad)
          .isEqualTo(400);
    }
    assertThat(raw.put(box.host(0).url(), path, four).statusCode()).isEqualTo(400);
    assertThat(client.getUpload("main", disk, id).offset()).isZero();

    // None of these ranges has written bytes where zeros must be.
    var zeros = new UploadRange(0, SIZE, SIZE, true, null);
    client.uploadImage("main", disk, id, zeros, InputStream.nullInputStream());
    String none = Pattern.sha256(new byte[SIZE]);
    assertThat(
            client.finishUpload("main", disk, id, new FinishUploadRequest(none), null).finished())
        .isTrue();
    assertThat(content(client, disk)).isEqualTo(new byte[SIZE]);
  }

  private static void refused(ErrorCode code, ThrowingCallable call) {
    assertThatThrownBy(call)
        .isInstanceOfSatisfying(
            StorageException.class, refusal -> assertThat(refusal.code()).isEqualTo(code));
  }
}
