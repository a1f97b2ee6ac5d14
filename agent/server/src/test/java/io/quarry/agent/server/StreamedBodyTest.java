package io.quarry.agent.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.quarry.common.api.BeginUploadRequest;
import io.quarry.common.api.ByteRange;
import io.quarry.common.api.DownloadRequest;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.ImageData;
import io.quarry.common.api.Sha256;
import io.quarry.common.api.StorageException;
import io.quarry.common.api.UploadRange;
import io.quarry.common.client.StorageClient;
import io.quarry.common.model.VolumeFormat;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Long bodies: what callers receive, also after a failure. */
@Timeout(60)
final class StreamedBodyTest {
  private static StorageException lost() {
    return new StorageException(ErrorCode.AGENT_UNAVAILABLE, "It was away.", "disk", "Try again.");
  }

  @Test
  void failureHalfWayBreaksTheConnectionOff() {
    try (var server = new ServerUnderTest()) {
      String path = "/v1/repositories/fast/images/" + server.seed() + "/data";
      server.storage.before(verb -> {
        if (verb.equals("read " + 2 * StreamedBody.PIECE_BYTES)) {
          throw lost();
        }
      });
      assertThatThrownBy(() -> server.get(path)).hasCauseInstanceOf(IOException.class);
      await().until(() -> server.storage.streamsClosed() == 1);
    }
  }

  @Test
  void clientContinuesWithTheMissingBytes() throws Exception {
    try (var server = new ServerUnderTest();
        var client = new StorageClient(List.of(server.server.uri()))) {
      String disk = server.seed();
      byte[] content = server.storage.fake.content(disk, 1 << 20);
      new Random(1).nextBytes(content);
      AtomicBoolean once = new AtomicBoolean();
      server.storage.before(verb -> {
        if (verb.startsWith("read " + StreamedBody.PIECE_BYTES)
            && once.compareAndSet(false, true)) {
          throw lost();
        }
      });
      try (ImageData data = client.downloadImage("fast", disk, DownloadRequest.WHOLE)) {
        assertThat(data.content().readAllBytes()).isEqualTo(content);
      }
      assertThat(once).isTrue();
    }
  }

  @Test
  void uploadsGoThroughInPiecesOfAnySize() throws Exception {
    try (var server = new ServerUnderTest();
        var client = new StorageClient(List.of(server.server.uri()))) {
      String disk = server.seed();
      byte[] bytes = new byte[20 << 20];
      new Random(1).nextBytes(bytes);
      var begin = new BeginUploadRequest(VolumeFormat.RAW, (long) bytes.length, null);
      String upload = client.beginUpload("fast", disk, begin, null).uploadId();
      var range = new UploadRange(0, bytes.length, bytes.length, false, null);
      client.uploadImage("fast", disk, upload, range, new ByteArrayInputStream(bytes));
      assertThat(server.storage.fake.uploaded(disk)).isEqualTo(bytes);
      UploadRange last = server.storage.last(UploadRange.class);
      assertThat(last.offset()).isEqualTo(16 << 20);
      assertThat(last.sha256())
          .isEqualTo(Sha256.base64(Arrays.copyOfRange(bytes, 16 << 20, 20 << 20)));
    }
  }

  @Test
  void refusedUploadIsAnsweredAndTheConnectionGoesOn() {
    try (var server = new ServerUnderTest();
        var client = new StorageClient(List.of(server.server.uri()))) {
      String disk = server.seed();
      server.storage.before(verb -> {
        if (verb.equals("uploadImage")) {
          throw StorageException.invalid("range", "Not this one.", "Another one.");
        }
      });
      byte[] bytes = new byte[8 << 20];
      var range = new UploadRange(0, bytes.length, bytes.length, false, null);
      assertThatThrownBy(
              () -> client.uploadImage("fast", disk, "u-1", range, new ByteArrayInputStream(bytes)))
          .hasMessage("Not this one.");
      assertThat(client.getImage("fast", disk, 0).imageId()).isEqualTo(disk);
    }
  }

  /** Case 12.24: HEAD on image data was refused. */
  @Test
  void headIsAnsweredLikeGetWithoutTheBody() {
    try (var server = new ServerUnderTest()) {
      String path = "/v1/repositories/fast/images/" + server.seed() + "/data";
      var get = server.send("GET", path, null, Map.of("Range", "bytes=0-511"));
      var head = server.send("HEAD", path, null, Map.of("Range", "bytes=0-511"));
      assertThat(head.statusCode()).isEqualTo(206);
      assertThat(head.body()).isEmpty();
      for (String name : List.of("Content-Length", "Content-Range", "ETag", "Content-Digest")) {
        assertThat(head.headers().allValues(name)).isEqualTo(get.headers().allValues(name));
      }
      await().until(() -> server.storage.streamsClosed() == 2);
      var health = server.send("HEAD", "/v1/repositories", null, Map.of());
      assertThat(health.statusCode()).isEqualTo(200);
      assertThat(health.headers().firstValue("Content-Length"))
          .contains(Integer.toString(server.get("/v1/repositories").body().length()));
    }
  }

  /** Case 12.24: the last 0 bytes were answered with all bytes, and 416 did not give the size. */
  @Test
  void rangeOfNoBytesIsRefusedWithTheSize() {
    try (var server = new ServerUnderTest()) {
      String path = "/v1/repositories/fast/images/" + server.seed() + "/data";
      for (String range : List.of("bytes=-0", "bytes=1048576-")) {
        var answer = server.send("GET", path, null, Map.of("Range", range));
        assertThat(answer.statusCode()).isEqualTo(416);
        assertThat(answer.headers().firstValue("Content-Range")).contains("bytes */1048576");
        assertThat(answer.body()).contains(range);
      }
    }
  }

  @Test
  void headersReachTheApi() {
    try (var server = new ServerUnderTest()) {
      String path = "/v1/repositories/fast/images/" + server.seed() + "/data";
      var headers = Map.of("Range", "bytes=7-", "If-Match", "\"a\"", "If-Range", "\"b\"");
      assertThat(server.send("GET", path + "?more=true", null, headers).statusCode())
          .isEqualTo(206);
      assertThat(server.storage.last(DownloadRequest.class))
          .isEqualTo(new DownloadRequest(ByteRange.from(7), "\"a\"", "\"b\"", true));
      assertThat(server.send("GET", path, null, Map.of("Range", "bytes=1-2,4-5")).statusCode())
          .isEqualTo(400);
      assertThat(server.send("GET", path, null, Map.of("If-Match", "a")).statusCode())
          .isEqualTo(400);
    }
  }
}
