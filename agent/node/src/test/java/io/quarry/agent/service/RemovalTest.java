package io.quarry.agent.service;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.quarry.agent.AgentsUnderTest;
import io.quarry.agent.AtPlace;
import io.quarry.common.api.BeginUploadRequest;
import io.quarry.common.api.DownloadRequest;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.ImageData;
import io.quarry.common.api.OpenRequest;
import io.quarry.common.api.OpenedImage;
import io.quarry.common.api.RemoveImageOptions;
import io.quarry.common.api.StorageException;
import io.quarry.common.api.UploadRange;
import io.quarry.common.client.StorageClient;
import io.quarry.coordinator.fault.FaultPoints;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A removal against the users of the image: 12.13, 20.5, ruling R15. */
@Timeout(180)
final class RemovalTest {
  private static final int MIB = 1 << 20;
  private static final int SIZE = 4 * MIB;
  private static final RemoveImageOptions FORCE = new RemoveImageOptions(true, Duration.ZERO, true);

  @TempDir static Path directory;

  private static AgentsUnderTest agents;
  private static StorageClient client;
  private static StorageClient other;

  @BeforeAll
  static void start() throws Exception {
    agents = AgentsUnderTest.start(directory, 2, "main");
    client = agents.client(0);
    other = agents.client(1);
  }

  @AfterAll
  static void stop() {
    if (agents != null) {
      agents.close();
    }
  }

  @Test
  void diskThatVmWritesToIsRemovedByForceAlone() throws Exception {
    String disk = agents.disk("main", SIZE);
    OpenedImage opened = client.openImage("main", disk, new OpenRequest(false, "vm7"), null);
    assertThatThrownBy(() -> other.removeImage("main", disk, RemoveImageOptions.DEFAULT, null))
        .isInstanceOfSatisfying(
            StorageException.class,
            refused -> {
              assertThat(refused.code()).isEqualTo(ErrorCode.IMAGE_IN_USE);
              assertThat(refused).hasMessageContainingAll("host-0", "vm7", opened.openId());
              assertThat(refused.remedy()).contains("force");
            });
    assertThat(client.getImage("main", disk, 0).visible()).isTrue();

    long removed = other.removeImage("main", disk, FORCE, null).commit();
    refused(ErrorCode.IMAGE_NOT_FOUND, () -> client.getImage("main", disk, removed));
    assertThat(Path.of(opened.path())).as("the VM's open file stays").exists();
    client.closeImage("main", disk, opened.openId(), null);
    await().atMost(AgentsUnderTest.PATIENCE).until(() -> !Files.exists(Path.of(opened.path())));
  }

  @Test
  void readerKeepsItsVolumesAndRefusesNothing() throws Exception {
    String disk = agents.disk("main", SIZE);
    OpenedImage opened = client.openImage("main", disk, new OpenRequest(true, "vm8"), null);
    other.removeImage("main", disk, RemoveImageOptions.DEFAULT, null);
    assertThat(Path.of(opened.path())).exists();
    client.closeImage("main", disk, opened.openId(), null);
    await().atMost(AgentsUnderTest.PATIENCE).until(() -> !Files.exists(Path.of(opened.path())));
  }

  /** 20.5: a killed engine never cancels its upload. */
  @Test
  void removalEndsUploadAndNothingOfItStays() throws Exception {
    String disk = agents.disk("main", SIZE);
    String upload = client.beginUpload("main", disk, BeginUploadRequest.RAW, null).uploadId();
    List<String> before = agents.volumes("main", "");
    put(disk, upload, 0, MIB);
    List<String> filled =
        agents.volumes("main", "").stream().filter(name -> !before.contains(name)).toList();
    assertThat(filled).hasSize(1);
    assertThat(openFiles()).anyMatch(name -> name.contains(filled.getFirst()));

    other.removeImage("main", disk, RemoveImageOptions.DEFAULT, null);
    refused(ErrorCode.OPEN_NOT_FOUND, () -> put(disk, upload, MIB, 2 * MIB));
    refused(ErrorCode.OPEN_NOT_FOUND, () -> client.getUpload("main", disk, upload));
    refused(
        ErrorCode.OPEN_NOT_FOUND,
        () -> other.uploadImage("main", disk, upload, range(MIB, 2 * MIB), bytes(MIB)));
    await()
        .atMost(AgentsUnderTest.PATIENCE)
        .untilAsserted(() -> {
          assertThat(agents.volumes("main", "")).doesNotContainAnyElementsOf(filled);
          assertThat(openFiles()).noneMatch(name -> name.contains(filled.getFirst()));
        });
    String volumeId = filled.getFirst().substring(0, filled.getFirst().indexOf('.'));
    assertThat(agents.repository("main").resolve("fixes").resolve("optimize-" + volumeId))
        .doesNotExist();
  }

  /** Case 12.24: the agent that ends an upload has closed its file when it answers. */
  @Test
  void endOfAnUploadClosesItsFileAtOnce() throws Exception {
    for (boolean removed : List.of(false, true)) {
      String disk = agents.disk("main", SIZE);
      String upload = client.beginUpload("main", disk, BeginUploadRequest.RAW, null).uploadId();
      List<String> before = agents.volumes("main", "");
      put(disk, upload, 0, MIB);
      String filled =
          agents.volumes("main", "").stream()
              .filter(name -> !before.contains(name))
              .findAny()
              .orElseThrow();
      assertThat(openFiles()).anyMatch(name -> name.contains(filled));
      if (removed) {
        client.removeImage("main", disk, RemoveImageOptions.DEFAULT, null);
      } else {
        client.closeImage("main", disk, upload, null);
      }
      assertThat(openFiles()).noneMatch(name -> name.contains(filled));
    }
  }

  /** The range is on its way during the removal of the disk: it is not acknowledged. */
  @Test
  void rangeThatIsUnderWayAtTheRemovalIsRefused() throws Exception {
    String disk = agents.disk("main", SIZE);
    String upload = client.beginUpload("main", disk, BeginUploadRequest.RAW, null).uploadId();
    put(disk, upload, 0, MIB);
    // The stored file still exists: only the log says that the upload is over.
    RemoveImageOptions uncleaned = new RemoveImageOptions(false, Duration.ZERO, false);
    AtPlace once =
        new AtPlace("upload.received", () -> other.removeImage("main", disk, uncleaned, null));
    FaultPoints.observe(once);
    try {
      refused(ErrorCode.OPEN_NOT_FOUND, () -> put(disk, upload, MIB, 2 * MIB));
    } finally {
      FaultPoints.observe(null);
    }
    assertThat(once.done()).isTrue();
  }

  @Test
  void removalEndsDownload() throws Exception {
    String disk = agents.disk("main", 64 * MIB);
    try (ImageData data = client.downloadImage("main", disk, DownloadRequest.WHOLE)) {
      assertThat(data.content().read()).isZero();
      assertThat(client.getImage("main", disk, 0).opens()).hasSize(1);
      other.removeImage("main", disk, RemoveImageOptions.DEFAULT, null);
      refused(ErrorCode.IMAGE_NOT_FOUND, () -> data.content().readAllBytes());
    }
  }

  private static void put(String disk, String upload, int from, int to) {
    client.uploadImage("main", disk, upload, range(from, to), bytes(to - from));
  }

  private static UploadRange range(int from, int to) {
    return new UploadRange(from, to - from, SIZE, false, null);
  }

  private static InputStream bytes(int count) {
    byte[] bytes = new byte[count];
    java.util.Arrays.fill(bytes, (byte) 7);
    return new ByteArrayInputStream(bytes);
  }

  /** The open files of this process, in which the agents run. */
  private static List<String> openFiles() throws IOException {
    try (var all = Files.list(Path.of("/proc/self/fd"))) {
      return all.map(RemovalTest::target).toList();
    }
  }

  private static String target(Path descriptor) {
    try {
      return Files.readSymbolicLink(descriptor).toString();
    } catch (IOException e) {
      return "";
    }
  }

  private static void refused(
      ErrorCode code, org.assertj.core.api.ThrowableAssert.ThrowingCallable call) {
    assertThatThrownBy(call)
        .isInstanceOfSatisfying(
            StorageException.class, refusal -> assertThat(refusal.code()).isEqualTo(code));
  }
}
