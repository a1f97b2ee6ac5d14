package io.quarry.it.transfer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.quarry.agent.dev.LocalClusterOptions;
import io.quarry.common.api.BeginUploadRequest;
import io.quarry.common.api.DownloadRequest;
import io.quarry.common.api.FinishUploadRequest;
import io.quarry.common.api.ImageData;
import io.quarry.common.api.UploadInfo;
import io.quarry.common.api.UploadRange;
import io.quarry.common.client.StorageClient;
import io.quarry.it.box.Box;
import io.quarry.it.box.FixQueries;
import io.quarry.it.box.QemuGuest;
import java.io.ByteArrayInputStream;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** An upload survives its first agent, whether that agent is dead or only paused. */
@Timeout(300)
final class UploadKillIT {
  private static final int SIZE = 32 << 20;
  private static final byte[] CONTENT = Pattern.bytes(2, SIZE);

  /** Bytes per second of the agent that the test ends. */
  private static final long SLOW = 4 << 20;

  private static final Duration SESSION = Duration.ofSeconds(4);

  @TempDir static Path directory;

  private static Box box;

  private String repoId;

  @BeforeAll
  static void start() throws Exception {
    box = Box.start(LocalClusterOptions.in(directory).withHosts(2).withSessionTimeout(SESSION));
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

  /** Brings back the whole cluster, whose first host each test slows down and ends. */
  @AfterEach
  void restore() throws Exception {
    box.host(0).awaitReady(Box.PATIENCE);
    box.client(0).setThrottle(0);
  }

  private UploadInfo send(StorageClient to, String disk, String id, int from) {
    var range = new UploadRange(from, SIZE - from, SIZE, false, null);
    var content = new ByteArrayInputStream(CONTENT, from, SIZE - from);
    return to.uploadImage(repoId, disk, id, range, content);
  }

  private void finish(StorageClient at, String disk, String id) throws Exception {
    var request = new FinishUploadRequest(Pattern.sha256(CONTENT));
    await()
        .atMost(Box.PATIENCE)
        .until(() -> at.finishUpload(repoId, disk, id, request, null).finished());
    try (ImageData data = at.downloadImage(repoId, disk, DownloadRequest.WHOLE)) {
      assertThat(data.content().readAllBytes()).isEqualTo(CONTENT);
    }
  }

  private void awaitSome(StorageClient asked, String disk, String id) {
    await()
        .atMost(Box.PATIENCE)
        .until(() -> asked.getUpload(repoId, disk, id).offset() >= SIZE / 4);
  }

  @Test
  void uploadGoesOnAtAnotherAgentAfterSigkill() throws Exception {
    try (StorageClient both = new StorageClient(List.of(box.host(0).url(), box.host(1).url()));
        ExecutorService callers = Executors.newVirtualThreadPerTaskExecutor()) {
      String disk = Box.disk(box.client(0), repoId, SIZE).imageId();
      Box.awaitOptimized(box.client(0), repoId, disk);
      box.client(0).setThrottle(SLOW);
      String id = both.beginUpload(repoId, disk, BeginUploadRequest.RAW, null).uploadId();
      Future<UploadInfo> sent = callers.submit(() -> send(both, disk, id, 0));
      awaitSome(box.client(1), disk, id);

      box.host(0).killAgent();

      assertThat(sent.get().offset()).isEqualTo(SIZE);
      // The agent's death was proven: the next agent continued in the same file.
      assertThat(box.volumes(repoId)).hasSize(2);
      finish(box.client(1), disk, id);
      await().atMost(Box.PATIENCE).until(() -> FixQueries.found(box.client(1), repoId).isEmpty());
      assertThat(box.volumes(repoId)).hasSize(1);
      QemuGuest.use(box.client(1), repoId, disk, "write -P 1 0 512");
    }
  }

  @Test
  void lateWritesOfAPausedAgentReachNoImage() throws Exception {
    try (ExecutorService callers = Executors.newVirtualThreadPerTaskExecutor()) {
      StorageClient paused = box.client(0);
      StorageClient other = box.client(1);
      String disk = Box.disk(paused, repoId, SIZE).imageId();
      Box.awaitOptimized(paused, repoId, disk);
      paused.setThrottle(SLOW);
      String id = paused.beginUpload(repoId, disk, BeginUploadRequest.RAW, null).uploadId();
      var _ = callers.submit(() -> send(paused, disk, id, 0));
      awaitSome(other, disk, id);

      box.host(0).pauseAgent();
      try {
        int offset = (int) other.getUpload(repoId, disk, id).offset();
        send(other, disk, id, offset);
        assertThat(box.volumes(repoId)).as("a file for each writer").hasSize(3);
        finish(other, disk, id);
        QemuGuest.use(other, repoId, disk, "write -P 1 0 32M");
      } finally {
        box.host(0).resumeAgent();
      }
      box.host(0).awaitReady(Box.PATIENCE);
      await()
          .atMost(Box.PATIENCE)
          .until(() -> {
            FixQueries.runAll(other, repoId);
            return box.volumes(repoId).size() == 1;
          });
      try (ImageData data = other.downloadImage(repoId, disk, DownloadRequest.WHOLE)) {
        assertThat(data.content().readAllBytes()).isEqualTo(Pattern.filled(1, SIZE));
      }
    }
  }
}
