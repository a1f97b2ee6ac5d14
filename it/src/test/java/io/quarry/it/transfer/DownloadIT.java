package io.quarry.it.transfer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.quarry.common.api.ByteRange;
import io.quarry.common.api.DownloadRequest;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.ExtentQuery;
import io.quarry.common.api.ImageData;
import io.quarry.common.api.ImageExplanation.Need;
import io.quarry.common.api.ImageExtents;
import io.quarry.common.api.OpenRequest;
import io.quarry.common.api.OpenedImage;
import io.quarry.common.api.Sha256;
import io.quarry.common.api.StorageException;
import io.quarry.common.client.StorageClient;
import io.quarry.it.box.Box;
import io.quarry.it.box.QemuGuest;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Downloads over HTTP from real agents: a test per promise. */
@Timeout(300)
final class DownloadIT {
  private static final long MIB = 1 << 20;
  private static final long SIZE = 64 * MIB;

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

  private static String disk(String... writes) throws Exception {
    String disk = Box.disk(client, "main", SIZE).imageId();
    Box.awaitOptimized(client, "main", disk);
    QemuGuest.use(client, "main", disk, writes);
    return disk;
  }

  private static String path(String image) {
    return "/v1/repositories/main/images/" + image + "/data";
  }

  private static URI agent() {
    return box.host(0).url();
  }

  /** The content that QEMU reads from the image. */
  private static Path expected(String image) throws Exception {
    OpenedImage opened = QemuGuest.look(client, "main", image);
    Path file = directory.resolve(image + ".expected");
    String format = opened.format().label();
    QemuGuest.run(
        List.of("qemu-img", "convert", "-f", format, "-O", "raw", opened.path(), file.toString()));
    return file;
  }

  @Test
  void rangesAreAnsweredAsHttpSays() throws Exception {
    String disk = disk("write -P 5 0 1M", "write -P 6 1M 1M");
    HttpResponse<byte[]> middle =
        raw.get(agent(), path(disk), "Range", "bytes=" + (MIB - 2) + "-" + (MIB + 1));
    assertThat(middle.statusCode()).isEqualTo(206);
    assertThat(middle.body()).containsExactly(5, 5, 6, 6);
    assertThat(Raw.header(middle, "Content-Range"))
        .isEqualTo("bytes " + (MIB - 2) + "-" + (MIB + 1) + "/" + SIZE);
    assertThat(Raw.header(middle, "Content-Length")).isEqualTo("4");
    assertThat(Raw.header(middle, "Accept-Ranges")).isEqualTo("bytes");
    assertThat(Raw.header(middle, "Content-Digest"))
        .isEqualTo("sha-256=:" + Sha256.base64(middle.body()) + ":");

    HttpResponse<byte[]> tail = raw.get(agent(), path(disk), "Range", "bytes=-3");
    assertThat(tail.body()).containsExactly(0, 0, 0);
    HttpResponse<byte[]> rest = raw.get(agent(), path(disk), "Range", "bytes=" + (SIZE - 1) + "-");
    assertThat(rest.body()).hasSize(1);

    HttpResponse<byte[]> whole = raw.get(box.host(1).url(), path(disk));
    assertThat(whole.statusCode()).isEqualTo(200);
    assertThat(Raw.header(whole, "ETag")).isEqualTo(Raw.header(middle, "ETag"));
    assertThat(whole.body()).isEqualTo(Files.readAllBytes(expected(disk)));

    HttpResponse<byte[]> behind = raw.get(agent(), path(disk), "Range", "bytes=" + SIZE + "-");
    assertThat(behind.statusCode()).isEqualTo(416);
    assertThat(Raw.error(behind)).isEqualTo(ErrorCode.RANGE_NOT_SATISFIABLE);
    for (String bad : List.of("bytes=2-1", "bytes=0-1,4-5", "bytes=a-b", "rows=0-1", "bytes=-")) {
      assertThat(raw.get(agent(), path(disk), "Range", bad).statusCode()).as(bad).isIn(400, 416);
    }
    // All of these downloads have released the disk.
    QemuGuest.use(client, "main", disk, "write -P 7 0 512");
  }

  @Test
  void entityTagChangesWithTheContentAndWithNothingElse() throws Exception {
    String disk = disk("write -P 5 0 1M");
    String before = Raw.header(raw.get(agent(), path(disk), "Range", "bytes=0-0"), "ETag");
    QemuGuest.look(client, "main", disk);
    Box.snapshot(client, "main", disk);
    HttpResponse<byte[]> same =
        raw.get(agent(), path(disk), "Range", "bytes=0-0", "If-Match", before, "If-Range", before);
    assertThat(same.statusCode()).isEqualTo(206);

    QemuGuest.use(client, "main", disk, "write -P 6 0 512");
    HttpResponse<byte[]> refused =
        raw.get(agent(), path(disk), "Range", "bytes=0-0", "If-Match", before);
    assertThat(refused.statusCode()).isEqualTo(412);
    assertThat(Raw.error(refused)).isEqualTo(ErrorCode.IMAGE_CHANGED);
    HttpResponse<byte[]> whole =
        raw.get(agent(), path(disk), "Range", "bytes=0-0", "If-Range", before);
    assertThat(whole.statusCode()).isEqualTo(200);
    assertThat(whole.body()).hasSize((int) SIZE);
    assertThat(Raw.header(whole, "ETag")).isNotEqualTo(before);
  }

  @Test
  void contentIsReadThroughAllTheImagesBelow() throws Exception {
    String disk = disk("write -P 1 0 3M", "write -P 2 20M 64k");
    String snapshot = Box.snapshot(client, "main", disk).imageId();
    Box.awaitOptimized(client, "main", disk);
    QemuGuest.use(
        client, "main", disk, "write -P 3 1M 4k", "write -z 20M 64k", "write -P 4 63M 1M");

    ImageExtents extents = other.listImageExtents("main", disk, new ExtentQuery(0, 100, true));
    assertThat(extents.end()).isEqualTo(SIZE);
    assertThat(extents.data().stream().mapToLong(ImageExtents.DataExtent::length).sum())
        .isBetween(4 * MIB, 5 * MIB);
    ImageExtents two = other.listImageExtents("main", disk, new ExtentQuery(0, 1, false));
    assertThat(two.data()).hasSize(1);
    assertThat(two.end()).isBetween(3 * MIB, 63 * MIB);

    for (String image : List.of(disk, snapshot)) {
      try (ImageData data = other.downloadImage("main", image, DownloadRequest.WHOLE)) {
        Path file = directory.resolve(image + ".downloaded");
        Files.copy(data.content(), file);
        assertThat(QemuGuest.sha256(file)).isEqualTo(QemuGuest.sha256(expected(image)));
      }
    }
  }

  @Test
  void imageIsOpenWhileItIsReadAndNoLonger() throws Exception {
    String disk = disk("write -P 1 0 1M");
    OpenedImage vm = client.openImage("main", disk, new OpenRequest(false, "vm"), null);
    refused(
        ErrorCode.IMAGE_IN_USE,
        () -> client.downloadImage("main", disk, DownloadRequest.WHOLE).close());
    client.closeImage("main", disk, vm.openId(), null);

    var first = new DownloadRequest(ByteRange.of(0, 512), null, null, true);
    client.downloadImage("main", disk, first).close();
    refused(
        ErrorCode.IMAGE_IN_USE,
        () -> other.openImage("main", disk, new OpenRequest(false, "vm"), null));
    assertThat(client.explainImage("main", disk, 0).neededBy())
        .extracting(Need::owner)
        .containsExactly("download");
    var last = new DownloadRequest(ByteRange.of(512, 512), null, null, false);
    client.downloadImage("main", disk, last).close();
    QemuGuest.use(client, "main", disk, "write -P 2 0 512");

    client.downloadImage("main", disk, first).close();
    await()
        .atMost(Box.PATIENCE)
        .until(() -> client.explainImage("main", disk, 0).neededBy().isEmpty());
    refused(
        ErrorCode.IMAGE_NOT_FOUND,
        () -> client.downloadImage("main", "nothing", DownloadRequest.WHOLE).close());
  }

  @Test
  void callerThatGoesAwayLetsGoOfTheImage() throws Exception {
    String disk = disk("write -P 1 0 64M");
    client.setThrottle(MIB);
    try {
      HttpResponse<InputStream> slow = raw.stream(agent(), path(disk));
      assertThat(slow.statusCode()).isEqualTo(200);
      assertThat(slow.body().readNBytes(1000)).hasSize(1000);
      assertThat(client.explainImage("main", disk, 0).neededBy()).hasSize(1);
      slow.body().close();
      await()
          .atMost(Box.PATIENCE)
          .until(() -> client.explainImage("main", disk, 0).neededBy().isEmpty());
    } finally {
      client.setThrottle(0);
    }
  }

  private static void refused(ErrorCode code, ThrowingCallable call) {
    assertThatThrownBy(call)
        .isInstanceOfSatisfying(
            StorageException.class, refusal -> assertThat(refusal.code()).isEqualTo(code));
  }
}
