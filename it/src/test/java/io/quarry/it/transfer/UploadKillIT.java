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
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** An upload survives its first agent, whether that agent is dead or only paused. */
@Timeout(300)
final class UploadKillIT {
  private static final int SIZE = 64 << 20;
  private static final byte[] CONTENT = Pattern.bytes(2, SIZE);

  /** Bytes per second of the agent that the test ends. */
  private static final long SLOW = 8 << 20;

  private static final Duration SESSION = Duration.ofSeconds(4);

  @TempDir private Path directory;

  private Box box() throws Exception {
    Box box = Box.start(LocalClusterOptions.in(directory).withHosts(2).withSessionTimeout(SESSION));
    box.connect("main");
    box.awaitSdm("main", 0, 1);
    return box;
  }

  private static UploadInfo send(StorageClient to, String disk, String id, int from) {
    var range = new UploadRange(from, SIZE - from, SIZE, false, null);
    var content = new ByteArrayInputStream(CONTENT, from, SIZE - from);
    return to.uploadImage("main", disk, id, range, content);
  }

  private static void finish(StorageClient at, String disk, String id) throws Exception {
    var request = new FinishUploadRequest(Pattern.sha256(CONTENT));
    await()
        .atMost(Box.PATIENCE)
        .until(() -> at.finishUpload("main", disk, id, request, null).finished());
    try (ImageData data = at.downloadImage("main", disk, DownloadRequest.WHOLE)) {
      assertThat(data.content().readAllBytes()).isEqualTo(CONTENT);
    }
  }

  private static void awaitSome(StorageClient asked, String disk, String id) {
    await()
        .atMost(Box.PATIENCE)
        .until(() -> asked.getUpload("main", disk, id).offset() >= SIZE / 4);
  }

  @Test
  void uploadGoesOnAtAnotherAgentAfterSigkill() throws Exception {
    try (Box box = box();
        StorageClient both = new StorageClient(List.of(box.host(0).url(), box.host(1).url()));
        ExecutorService callers = Executors.newVirtualThreadPerTaskExecutor()) {
      String disk = Box.disk(box.client(0), "main", SIZE).imageId();
      Box.awaitOptimized(box.client(0), "main", disk);
      box.client(0).setThrottle(SLOW);
      String id = both.beginUpload("main", disk, BeginUploadRequest.RAW, null).uploadId();
      Future<UploadInfo> sent = callers.submit(() -> send(both, disk, id, 0));
      awaitSome(box.client(1), disk, id);

      box.host(0).killAgent();

      assertThat(sent.get().offset()).isEqualTo(SIZE);
      // The agent's death was proven: the next agent continued in the same file.
      assertThat(box.volumes("main")).hasSize(2);
      finish(box.client(1), disk, id);
      await().atMost(Box.PATIENCE).until(() -> FixQueries.found(box.client(1), "main").isEmpty());
      assertThat(box.volumes("main")).hasSize(1);
      QemuGuest.use(box.client(1), "main", disk, "write -P 1 0 512");
    }
  }

  @Test
  void lateWritesOfAPausedAgentReachNoImage() throws Exception {
    try (Box box = box();
        ExecutorService callers = Executors.newVirtualThreadPerTaskExecutor()) {
      StorageClient paused = box.client(0);
      StorageClient other = box.client(1);
      String disk = Box.disk(paused, "main", SIZE).imageId();
      Box.awaitOptimized(paused, "main", disk);
      paused.setThrottle(SLOW);
      String id = paused.beginUpload("main", disk, BeginUploadRequest.RAW, null).uploadId();
      var _ = callers.submit(() -> send(paused, disk, id, 0));
      awaitSome(other, disk, id);

      box.host(0).pauseAgent();
      try {
        int offset = (int) other.getUpload("main", disk, id).offset();
        send(other, disk, id, offset);
        assertThat(box.volumes("main")).as("a file for each writer").hasSize(3);
        finish(other, disk, id);
        QemuGuest.use(other, "main", disk, "write -P 1 0 64M");
      } finally {
        box.host(0).resumeAgent();
      }
      box.host(0).awaitReady(Box.PATIENCE);
      await()
          .atMost(Box.PATIENCE)
          .until(() -> {
            FixQueries.runAll(other, "main");
            return box.volumes("main").size() == 1;
          });
      byte[] ones = new byte[SIZE];
      Arrays.fill(ones, (byte) 1);
      try (ImageData data = other.downloadImage("main", disk, DownloadRequest.WHOLE)) {
        assertThat(data.content().readAllBytes()).isEqualTo(ones);
      }
    }
  }
}
