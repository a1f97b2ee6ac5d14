package io.quarry.it.transfer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.quarry.agent.dev.LocalClusterOptions;
import io.quarry.common.api.BeginUploadRequest;
import io.quarry.common.api.DownloadRequest;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.FinishUploadRequest;
import io.quarry.common.api.ImageData;
import io.quarry.common.api.StorageException;
import io.quarry.common.api.UploadInfo;
import io.quarry.common.api.UploadRange;
import io.quarry.common.client.StorageClient;
import io.quarry.common.model.VolumeFormat;
import io.quarry.it.box.Box;
import io.quarry.it.box.FixQueries;
import io.quarry.it.box.QemuGuest;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Uploaded qcow2 files become the content of disks, or leave no file behind. */
@Timeout(300)
final class Qcow2UploadIT {
  private static final int MIB = 1 << 20;
  private static final int DISK = 48 * MIB;
  private static final byte[] CONTENT = Pattern.bytes(3, 40 * MIB);

  /** Bytes per second of an agent that the test ends. */
  private static final long SLOW = 8 << 20;

  @TempDir static Path directory;

  private static Box box;
  private static StorageClient client;
  private static StorageClient other;

  private String repoId;

  @BeforeAll
  static void start() throws Exception {
    box =
        Box.start(
            LocalClusterOptions.in(directory)
                .withHosts(2)
                .withSessionTimeout(Duration.ofSeconds(4)));
    client = box.client(0);
    other = box.client(1);
  }

  @AfterAll
  static void stop() {
    if (box != null) {
      box.close();
    }
  }

  @BeforeEach
  void makeRepository() throws Exception {
    repoId = box.newRepository();
  }

  private String disk(long size) throws Exception {
    String disk = Box.disk(client, repoId, size).imageId();
    Box.awaitOptimized(client, repoId, disk);
    QemuGuest.use(client, repoId, disk, "write -P 5 0 1M");
    return disk;
  }

  private Path qcow2(String... options) throws Exception {
    Path raw = Files.write(directory.resolve("content.raw"), CONTENT);
    Path file = directory.resolve("content.qcow2");
    List<String> words = new ArrayList<>(List.of("qemu-img", "convert", "-O", "qcow2"));
    words.addAll(List.of(options));
    words.addAll(List.of("-f", "raw", raw.toString(), file.toString()));
    QemuGuest.run(words);
    return file;
  }

  private UploadInfo begin(StorageClient at, String disk, Path file) throws Exception {
    var request = new BeginUploadRequest(VolumeFormat.QCOW2, Files.size(file), null);
    return at.beginUpload(repoId, disk, request, null);
  }

  private UploadInfo send(StorageClient at, String disk, String id, Path file) throws Exception {
    long size = Files.size(file);
    try (InputStream in = Files.newInputStream(file)) {
      return at.uploadImage(repoId, disk, id, new UploadRange(0, size, size, false, null), in);
    }
  }

  private UploadInfo finish(StorageClient at, String disk, String id, Path file) throws Exception {
    var request = new FinishUploadRequest(QemuGuest.sha256(file));
    return await()
        .atMost(Box.PATIENCE)
        .until(
            () -> at.finishUpload(repoId, disk, id, request, "finish-" + id), UploadInfo::finished);
  }

  private void assertContent(StorageClient at, String disk) throws Exception {
    try (ImageData data = at.downloadImage(repoId, disk, DownloadRequest.WHOLE)) {
      assertThat(data.content().readAllBytes()).isEqualTo(Arrays.copyOf(CONTENT, DISK));
    }
  }

  @Test
  void contentOfAFileBecomesThatOfTheDisk() throws Exception {
    String disk = disk(DISK);
    Path file = qcow2("-c");
    UploadInfo begun = begin(client, disk, file);
    String id = begun.uploadId();
    assertThat(begun.size()).isEqualTo(Files.size(file));
    assertThat(begun.conversion()).isEqualTo(new UploadInfo.Conversion(DISK, 0));
    send(client, disk, id, file);
    assertThat(other.getUpload(repoId, disk, id).offset()).isEqualTo(Files.size(file));
    assertThat(box.volumes(repoId)).anyMatch(name -> name.endsWith(".1.upload"));
    assertThat(FixQueries.found(other, repoId)).as("nothing is stray").isEmpty();

    UploadInfo done = finish(client, disk, id, file);
    assertThat(done.conversion()).isEqualTo(new UploadInfo.Conversion(DISK, DISK));
    assertThat(finish(other, disk, id, file).commit()).isEqualTo(done.commit());
    assertContent(other, disk);
    await().atMost(Box.PATIENCE).until(() -> FixQueries.found(client, repoId).isEmpty());
    assertThat(box.volumes(repoId)).singleElement().asString().endsWith(".raw");
    QemuGuest.use(client, repoId, disk, "write -P 9 0 512");
  }

  @Test
  void conversionGoesOnAtAnotherAgentAfterSigkill() throws Exception {
    String disk = disk(DISK);
    Path file = qcow2();
    String id = begin(client, disk, file).uploadId();
    send(client, disk, id, file);
    client.setThrottle(SLOW);
    var request = new FinishUploadRequest(QemuGuest.sha256(file));
    try (ExecutorService callers = Executors.newVirtualThreadPerTaskExecutor()) {
      var _ = callers.submit(() -> client.finishUpload(repoId, disk, id, request, "lost"));
      await().atMost(Box.PATIENCE).until(() -> converted(other, disk, id) > 0);

      box.host(0).killAgent();

      long kept = converted(other, disk, id);
      assertThat(kept).isLessThan(DISK);
      assertThat(finish(other, disk, id, file).finished()).isTrue();
      callers.shutdownNow();
    }
    assertContent(other, disk);
    // The agent's death was proven: the next agent continued in the same file, and no file of the
    // upload is left.
    await().atMost(Box.PATIENCE).until(() -> FixQueries.found(other, repoId).isEmpty());
    assertThat(box.volumes(repoId)).singleElement().asString().endsWith(".1.raw");
    QemuGuest.use(other, repoId, disk, "write -P 1 0 512");
    box.host(0).awaitReady(Box.PATIENCE);
    client.setThrottle(0);
  }

  private long converted(StorageClient at, String disk, String id) {
    return Objects.requireNonNull(at.getUpload(repoId, disk, id).conversion()).offset();
  }

  @Test
  void refusedFilesLeaveNothing() throws Exception {
    String disk = disk(DISK);
    List<String> before = box.volumes(repoId);
    Path backed = directory.resolve("backed.qcow2");
    QemuGuest.run(
        List.of(
            "qemu-img",
            "create",
            "-q",
            "-f",
            "qcow2",
            "-u",
            "-b",
            "/etc/passwd",
            "-F",
            "raw",
            backed.toString(),
            "48M"));
    String first = begin(client, disk, backed).uploadId();
    refused("names a backing file", () -> send(client, disk, first, backed));
    assertGone(disk, first, before);

    Path large = directory.resolve("large.qcow2");
    QemuGuest.run(List.of("qemu-img", "create", "-q", "-f", "qcow2", large.toString(), "49M"));
    String second = begin(client, disk, large).uploadId();
    refused("is to fit into " + DISK, () -> send(client, disk, second, large));
    assertGone(disk, second, before);

    Path damaged = qcow2();
    byte[] bytes = Files.readAllBytes(damaged);
    Arrays.fill(bytes, 2 * 65_536, 3 * 65_536, (byte) 0);
    Files.write(damaged, bytes);
    String third = begin(client, disk, damaged).uploadId();
    send(client, disk, third, damaged);
    refused("qemu-img check", () -> finish(client, disk, third, damaged));
    assertGone(disk, third, before);
    try (ImageData data = client.downloadImage(repoId, disk, DownloadRequest.WHOLE)) {
      assertThat(data.content().readNBytes(MIB)).containsOnly(5);
    }
  }

  private void assertGone(String disk, String upload, List<String> before) {
    assertThatThrownBy(() -> client.getUpload(repoId, disk, upload))
        .hasMessageContaining("has no upload");
    await().atMost(Box.PATIENCE).until(() -> box.volumes(repoId).equals(before));
  }

  /** Compressed zeros count by their uncompressed size. */
  @Test
  void fileThatUnpacksWithoutEndIsRefused() throws Exception {
    long size = 2L << 30;
    Path bomb = directory.resolve("bomb.qcow2");
    QemuGuest.run(
        List.of(
            "qemu-img",
            "create",
            "-q",
            "-f",
            "qcow2",
            "-o",
            "cluster_size=2M,compression_type=zstd",
            bomb.toString(),
            "2G"));
    List<String> words = new ArrayList<>(List.of("qemu-io", "-f", "qcow2"));
    for (int at = 0; at < 1280; at += 256) {
      words.addAll(List.of("-c", "write -c -P 0 " + at + "M 256M"));
    }
    words.add(bomb.toString());
    QemuGuest.run(words);
    String disk = disk(size);
    List<String> before = box.volumes(repoId);
    String id = begin(client, disk, bomb).uploadId();
    send(client, disk, id, bomb);
    refused("unpacks to more", () -> finish(client, disk, id, bomb));
    assertGone(disk, id, before);
  }

  private static void refused(String why, ThrowingCallable call) {
    assertThatThrownBy(call)
        .hasMessageContaining(why)
        .satisfies(thrown -> {
          Throwable cause = thrown instanceof StorageException ? thrown : thrown.getCause();
          assertThat(cause)
              .isInstanceOfSatisfying(
                  StorageException.class,
                  refusal -> assertThat(refusal.code()).isEqualTo(ErrorCode.UPLOAD_REFUSED));
        });
  }
}
