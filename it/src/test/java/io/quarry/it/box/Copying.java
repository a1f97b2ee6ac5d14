package io.quarry.it.box;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.quarry.agent.data.CopyPace;
import io.quarry.agent.dev.LocalHost;
import io.quarry.common.api.CopyImageRequest;
import io.quarry.common.api.CreatedImage;
import io.quarry.common.api.ImageOptions;
import io.quarry.common.api.OpenRequest;
import io.quarry.common.api.OpenedImage;
import io.quarry.common.api.TaskInfo;
import io.quarry.common.client.StorageClient;
import io.quarry.common.model.FixType;
import io.quarry.common.model.Progress;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;

/**
 * A copy on its way, as the hosts' own agents show it.
 *
 * @param repoId the target
 * @param imageId the copy
 */
public record Copying(Box box, String repoId, String imageId) {
  /** Two checkpoints are as far apart as the data of one window. */
  public static final long WINDOW_BYTES = CopyPace.WINDOW_BYTES;

  private static final Duration POLL = Duration.ofMillis(10);

  public static Copying start(Box box, StorageClient client, String repoId, String sourceId) {
    CreatedImage copy = copy(client, repoId, sourceId, ImageOptions.DEFAULT);
    return new Copying(box, repoId, copy.imageId());
  }

  public static CreatedImage copy(
      StorageClient client, String repoId, String sourceId, ImageOptions options) {
    CopyImageRequest request =
        new CopyImageRequest(sourceId, null, JsonNodeFactory.instance.objectNode(), options);
    return client.copyImage(repoId, request, null);
  }

  /** The id of a new disk with so many bytes of data in each of its windows. */
  public static String source(StorageClient client, String repoId, int windows, long dataBytes)
      throws Exception {
    String disk = Box.disk(client, repoId, windows * WINDOW_BYTES).imageId();
    Box.awaitOptimized(client, repoId, disk);
    List<String> writes = new ArrayList<>();
    for (int window = 0; window < windows; window++) {
      writes.add("write -P %d %d %d".formatted(window + 1, window * WINDOW_BYTES, dataBytes));
    }
    QemuGuest.use(client, repoId, disk, writes.toArray(String[]::new));
    return disk;
  }

  /** Waits until a host shows a task of the copy that fits; the highest epoch counts. */
  public TaskInfo until(Predicate<TaskInfo> wanted) {
    return await()
        .atMost(Box.PATIENCE)
        .pollDelay(Duration.ZERO)
        .pollInterval(POLL)
        .until(() -> task().filter(wanted), Optional::isPresent)
        .orElseThrow();
  }

  /**
   * Kills the worker once it has a checkpoint, and waits until its agent is back. Another host
   * continues from that checkpoint, or from a later one. The hosts' throttles have to leave each
   * window enough time to be seen.
   *
   * @return the task as the killed host showed it last
   */
  public TaskInfo killWorkerAtCheckpoint() throws Exception {
    TaskInfo task = until(any -> true);
    LocalHost victim = box.host(task.hostId());
    TaskInfo begun = until(now -> checkpoint(now) > 0);
    victim.killAgent();
    TaskInfo next =
        await()
            .atMost(Box.PATIENCE)
            .ignoreExceptions()
            .until(() -> takenOver(begun).orElse(begun), now -> now.epoch() > begun.epoch());
    assertThat(checkpoint(next)).isGreaterThanOrEqualTo(checkpoint(begun));
    victim.awaitReady(Box.PATIENCE);
    return begun;
  }

  /** The same fix on another host, once that host knows where to continue. */
  private Optional<TaskInfo> takenOver(TaskInfo begun) {
    return box.hostIds().stream()
        .filter(host -> !host.equals(begun.hostId()))
        .flatMap(host -> box.client(host).listTasks(host).stream())
        .filter(now -> now.fixId().equals(begun.fixId()) && checkpoint(now) >= 0)
        .findAny();
  }

  /** The newest epoch that runs on any host now. */
  public Optional<TaskInfo> task() {
    return box.hostIds().stream()
        .flatMap(host -> box.client(host).listTasks(host).stream())
        .filter(task -> task.type() != FixType.CLEAN)
        .filter(task -> imageId.equals(task.imageId()) && repoId.equals(task.repoId()))
        .max(Comparator.comparingLong(TaskInfo::epoch));
  }

  /** The offset up to which the copy is durable; −1 before its worker knows where to begin. */
  public static long checkpoint(TaskInfo task) {
    Progress progress = task.progress();
    return progress == null || progress.stageName().equals("starting") ? -1 : progress.bytesDone();
  }

  /** The files that the epochs of a task have written so far. */
  public List<String> files(TaskInfo task) throws IOException {
    String volumeId = task.fixId().substring("mend-".length());
    return box.volumes(repoId).stream().filter(name -> name.startsWith(volumeId)).toList();
  }

  /**
   * Waits for the end of the copy, and compares its whole content with the source's. Both images
   * stay open meanwhile: the disk's frozen part is merged again once the copy is done.
   */
  public void assertBecomes(StorageClient client, String sourceRepoId, String sourceId)
      throws Exception {
    Box.awaitOptimized(client, repoId, imageId);
    OpenRequest reading = new OpenRequest(true, "reader");
    OpenedImage copy = client.openImage(repoId, imageId, reading, null);
    OpenedImage source = client.openImage(sourceRepoId, sourceId, reading, null);
    try {
      QemuGuest.assertSameContent(copy, source);
    } finally {
      client.closeImage(sourceRepoId, sourceId, source.openId(), null);
      client.closeImage(repoId, imageId, copy.openId(), null);
    }
  }
}
