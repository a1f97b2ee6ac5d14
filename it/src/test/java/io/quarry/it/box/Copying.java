package io.quarry.it.box;

import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.quarry.agent.data.CopyPlan;
import io.quarry.common.api.CopyImageRequest;
import io.quarry.common.api.CreatedImage;
import io.quarry.common.api.ImageOptions;
import io.quarry.common.api.TaskInfo;
import io.quarry.common.client.StorageClient;
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
 * @param repoId where the copy is made
 * @param imageId the copy
 */
public record Copying(Box box, String repoId, String imageId) {
  /** The data between two checkpoints is that of one window. */
  public static final long WINDOW_BYTES = CopyPlan.WINDOW_BYTES;

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

  /** The id of a disk with so many bytes of data in each of its windows. */
  public static String source(StorageClient client, String repoId, int windows, long dataBytes)
      throws Exception {
    String disk = Box.disk(client, repoId, windows * WINDOW_BYTES).imageId();
    Box.awaitOptimized(client, repoId, disk);
    List<String> writes = new ArrayList<>();
    for (int window = 0; window < windows; window++) {
      writes.add("write -P %d %d %d".formatted(window + 1, window * WINDOW_BYTES, dataBytes));
    }
    Guest.use(client, repoId, disk, writes.toArray(String[]::new));
    return disk;
  }

  /** Waits until a host shows such a task of the copy; the highest epoch counts. */
  public TaskInfo until(Predicate<TaskInfo> wanted) {
    return await()
        .atMost(Box.PATIENCE)
        .pollDelay(Duration.ZERO)
        .pollInterval(POLL)
        .until(() -> task().filter(wanted), Optional::isPresent)
        .orElseThrow();
  }

  /** The newest epoch that runs on a host now. */
  public Optional<TaskInfo> task() {
    return box.hostIds().stream()
        .flatMap(host -> box.client(host).listTasks(host).stream())
        .filter(task -> imageId.equals(task.imageId()) && repoId.equals(task.repoId()))
        .max(Comparator.comparingLong(TaskInfo::epoch));
  }

  /** Up to where the copy is durable; −1 while its worker has not looked yet where to begin. */
  public static long checkpoint(TaskInfo task) {
    Progress progress = task.progress();
    return progress == null || progress.stageName().equals("starting") ? -1 : progress.bytesDone();
  }

  /** The files that the epochs of a task have written so far. */
  public List<String> files(TaskInfo task) throws IOException {
    String volumeId = task.fixId().substring("mend-".length());
    return box.volumes(repoId).stream().filter(name -> name.startsWith(volumeId)).toList();
  }

  /** Waits for the end, and compares the whole content with the source's. */
  public void assertBecomes(StorageClient client, String sourceRepoId, String sourceId)
      throws Exception {
    Box.awaitOptimized(client, repoId, imageId);
    Guest.assertSameContent(
        Guest.look(client, repoId, imageId), Guest.look(client, sourceRepoId, sourceId));
  }
}
