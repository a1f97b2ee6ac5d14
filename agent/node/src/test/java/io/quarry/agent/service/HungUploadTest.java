package io.quarry.agent.service;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.quarry.agent.AgentsUnderTest;
import io.quarry.agent.storage.Checkpoint;
import io.quarry.agent.storage.RepositoryStorage;
import io.quarry.agent.storage.directory.LocalfsFormat;
import io.quarry.common.api.BeginUploadRequest;
import io.quarry.common.api.DownloadRequest;
import io.quarry.common.api.FinishUploadRequest;
import io.quarry.common.api.ImageData;
import io.quarry.common.api.UploadInfo;
import io.quarry.common.api.UploadRange;
import io.quarry.common.client.StorageClient;
import io.quarry.coordinator.fault.FaultPoints;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** An upload's write hangs in the storage for longer than its caller waits. */
@Timeout(180)
final class HungUploadTest {
  private static final int MIB = 1 << 20;
  private static final int SIZE = 4 * MIB;
  private static final byte[] CONTENT = new byte[SIZE];

  @TempDir Path directory;

  private final ExecutorService callers = Executors.newVirtualThreadPerTaskExecutor();
  private final CountDownLatch hanging = new CountDownLatch(1);
  private final CountDownLatch storageIsBack = new CountDownLatch(1);

  /** The thread that waits for the hanging write. */
  private final AtomicReference<Thread> caller = new AtomicReference<>();

  private final AtomicBoolean hung = new AtomicBoolean();
  private AgentsUnderTest agents;
  private StorageClient client;
  private String disk;
  private String upload;
  private String file;

  @BeforeEach
  void begin() throws Exception {
    new Random(12).nextBytes(CONTENT);
    agents = AgentsUnderTest.start(directory, 2, "main");
    client = agents.client(0);
    disk = agents.disk("main", SIZE);
    upload = client.beginUpload("main", disk, BeginUploadRequest.RAW, null).uploadId();
    List<String> before = agents.volumes("main", "");
    put(0, MIB);
    file =
        agents.volumes("main", "").stream()
            .filter(name -> !before.contains(name))
            .findAny()
            .orElseThrow();
  }

  @AfterEach
  void end() {
    storageIsBack.countDown();
    FaultPoints.observe(null);
    agents.close();
    callers.close();
  }

  private UploadInfo put(int from, int to) {
    return put(client, from, to);
  }

  private UploadInfo put(StorageClient at, int from, int to) {
    var range = new UploadRange(from, to - from, SIZE, false, null);
    return at.uploadImage(
        "main", disk, upload, range, new ByteArrayInputStream(CONTENT, from, to - from));
  }

  /** The first write from now on hangs. */
  private void observe(String place) {
    switch (place) {
      case "upload.storing" -> caller.compareAndSet(null, Thread.currentThread());
      case "upload.writing" -> {
        if (hung.compareAndSet(false, true)) {
          hanging.countDown();
          pass(storageIsBack);
        }
      }
      case "upload.lettingGo" -> callerGivesUp();
      default -> {}
    }
  }

  /** Ends the caller's wait, as the deadline of a storage call does. */
  private void callerGivesUp() {
    Thread waiting = caller.get();
    if (waiting != null) {
      waiting.interrupt();
    }
  }

  private static void pass(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private boolean isLetGoOf() throws IOException {
    try (RepositoryStorage storage = storage()) {
      return newest(storage).released();
    }
  }

  /** A live holder keeps others away from the upload for two minutes after its last range. */
  private void lastRangeWasLongAgo() throws IOException {
    try (RepositoryStorage storage = storage()) {
      Checkpoint now = newest(storage);
      storage
          .work()
          .save(
              fix(),
              new Checkpoint(
                  now.worker(),
                  now.epoch(),
                  now.stage(),
                  now.output(),
                  now.amounts(),
                  now.released(),
                  now.lastError(),
                  now.updatedAt().minus(Duration.ofMinutes(3))));
    }
  }

  private String fix() {
    return "optimize-" + file.substring(0, file.indexOf('.'));
  }

  private RepositoryStorage storage() throws IOException {
    Map<String, String> parameters = Map.of("path", agents.repository("main").toString());
    return new LocalfsFormat().connect(parameters, false, "test@test");
  }

  private Checkpoint newest(RepositoryStorage storage) throws IOException {
    return Objects.requireNonNull(storage.work().newestCheckpoint(fix()));
  }

  private boolean isOpenHere() throws IOException {
    Path volume = agents.repository("main").resolve("volumes").resolve(file);
    try (var descriptors = Files.list(Path.of("/proc/self/fd"))) {
      return descriptors.anyMatch(descriptor -> leadsTo(descriptor, volume));
    }
  }

  private static boolean leadsTo(Path descriptor, Path file) {
    try {
      return Files.readSymbolicLink(descriptor).equals(file);
    } catch (IOException e) {
      return false; // Another thread has closed it meanwhile.
    }
  }

  private void assertContent(StorageClient at) throws IOException {
    await()
        .atMost(AgentsUnderTest.PATIENCE)
        .until(
            () -> at.finishUpload("main", disk, upload, new FinishUploadRequest(null), null),
            UploadInfo::finished);
    try (ImageData data = at.downloadImage("main", disk, DownloadRequest.WHOLE)) {
      assertThat(data.content().readAllBytes()).isEqualTo(CONTENT);
    }
  }

  /** Another agent would continue in the same file, where the late write would land. */
  @Test
  void writeThatHangsIsNotLetGoOf() throws Exception {
    FaultPoints.observe(this::observe);
    Future<UploadInfo> second = callers.submit(() -> put(MIB, 2 * MIB));
    hanging.await();
    client.disconnectStorageRepository("main");
    assertThatThrownBy(second::get).hasMessageContaining("is connected on this host");
    assertThat(isLetGoOf()).as("the upload is released").isFalse();

    lastRangeWasLongAgo();
    StorageClient other = agents.client(1);
    put(other, MIB, SIZE);
    assertThat(agents.volumes("main", file.substring(0, file.indexOf('.')))).hasSize(2);
    storageIsBack.countDown();
    assertContent(other);
  }

  @Test
  void uploadWithoutAnyWriteUnderWayIsLetGoOf() throws Exception {
    assertThat(isOpenHere()).isTrue();
    client.disconnectStorageRepository("main");
    assertThat(isLetGoOf()).as("the upload is released").isTrue();
    assertThat(isOpenHere()).isFalse();
  }

  /** The late write would go to another file that has the closed descriptor's number. */
  @Test
  void failedUploadClosesItsFileWhenItsWriteEnds() throws Exception {
    FaultPoints.observe(this::observe);
    Future<UploadInfo> second = callers.submit(() -> put(MIB, 2 * MIB));
    hanging.await();
    callerGivesUp();
    assertThat(second.get().offset()).as("range repeated into another file").isEqualTo(2 * MIB);
    put(2 * MIB, SIZE);
    assertThat(isOpenHere()).as("file is open while the write hangs").isTrue();
    storageIsBack.countDown();
    await().atMost(AgentsUnderTest.PATIENCE).until(() -> !isOpenHere());
    assertContent(client);
  }
}
