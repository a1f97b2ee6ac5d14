package io.quarry.it.failover;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.quarry.common.api.OpenRequest;
import io.quarry.common.api.OpenedImage;
import io.quarry.common.api.RemoveImageOptions;
import io.quarry.common.api.TaskInfo;
import io.quarry.common.client.StorageClient;
import io.quarry.common.model.VolumeFormat;
import io.quarry.it.box.Box;
import io.quarry.it.box.Copying;
import io.quarry.it.box.FixQueries;
import io.quarry.it.box.QemuGuest;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * A small layer over a large one is written down into the file below, which its image then takes
 * over. Hosts die during the merge, a VM starts and works above, and no image ever shows other
 * content.
 */
@Timeout(300)
final class MergeInPlaceIT {
  private static final String REPOSITORY = "vms";
  private static final long MIB = 1L << 20;
  private static final int WINDOWS = 4;
  private static final long DATA = 24 * MIB;
  private static final long SLOW = 2 * MIB;

  @TempDir private Path directory;

  @SuppressWarnings("NullAway.Init")
  private Box box;

  @SuppressWarnings("NullAway.Init")
  private StorageClient client;

  private final Map<String, Path> expected = new LinkedHashMap<>();

  @Test
  void fileBelowIsWrittenDownIntoAndTakenOver() throws Exception {
    try (Box started = Box.pair(directory)) {
      box = started;
      client = box.client(0);
      box.connect(REPOSITORY);
      String disk = Copying.source(client, REPOSITORY, WINDOWS, DATA);
      String first = Box.snapshot(client, REPOSITORY, disk).imageId();
      QemuGuest.use(client, REPOSITORY, disk, writes(1, 8));
      String second = Box.snapshot(client, REPOSITORY, disk).imageId();
      client.resizeImage(REPOSITORY, disk, (WINDOWS + 1) * Copying.WINDOW_BYTES, null);
      Box.awaitOptimized(client, REPOSITORY, disk);
      QemuGuest.use(client, REPOSITORY, disk, writes(2, 2));
      String third = Box.snapshot(client, REPOSITORY, disk).imageId();
      QemuGuest.use(client, REPOSITORY, disk, writes(3, 1));
      for (String image : List.of(first, third, disk)) {
        remember(image);
      }
      awaitVolumes(4);
      String ofFirst = QemuGuest.look(client, REPOSITORY, first).path();
      String ofSecond = QemuGuest.look(client, REPOSITORY, second).path();

      mergeWithTwoHosts(second, third, disk);
      assertThat(QemuGuest.look(client, REPOSITORY, third).path()).isEqualTo(ofSecond);
      assertThat(client.getImage(REPOSITORY, third, 0).parentImageId()).isEqualTo(first);
      awaitVolumes(3);

      mergeWithTwoHosts(first, third, disk);
      assertThat(QemuGuest.look(client, REPOSITORY, third).path()).isEqualTo(ofFirst);
      assertThat(client.getImage(REPOSITORY, third, 0).format()).isEqualTo(VolumeFormat.RAW);
      awaitVolumes(2);

      remove(third);
      awaitVolumes(1);
      assertThat(QemuGuest.look(client, REPOSITORY, disk).path()).isEqualTo(ofFirst);
      assertContents();
      await().atMost(Box.PATIENCE).until(() -> FixQueries.found(client, REPOSITORY).isEmpty());
      assertThat(box.repository(REPOSITORY).resolve("fixes")).isEmptyDirectory();
    }
  }

  /**
   * Removes a snapshot, and kills the host that merges the snapshot into the next one at a
   * checkpoint.
   */
  private void mergeWithTwoHosts(String removed, String into, String disk) throws Exception {
    throttle(SLOW);
    remove(removed);
    TaskInfo killed = new Copying(box, REPOSITORY, into).killWorkerAtCheckpoint();
    assertThat(killed.fixId()).startsWith("merge-");
    box.connect(REPOSITORY);
    assertContents();
    QemuGuest.use(client, REPOSITORY, disk, "write -P 99 100M 1M", "flush");
    remember(disk);
    throttle(0);
    await()
        .atMost(Box.PATIENCE)
        .until(() ->
            client.listFixes(REPOSITORY, 0).stream()
                .noneMatch(fix -> fix.fixId().equals(killed.fixId())));
    assertContents();
  }

  /** In each window: data over data and over nothing, and zeros over data. */
  private static String[] writes(int layer, int mebibytes) {
    List<String> writes = new ArrayList<>();
    for (int window = 0; window < WINDOWS; window++) {
      long start = window * Copying.WINDOW_BYTES / MIB + 4L * layer;
      writes.add("write -P %d %dM %dM".formatted(100 + layer, start, mebibytes));
      writes.add("write -P %d %dM 1M".formatted(120 + layer, start + 40));
      writes.add("write -z %dM 1M".formatted(start + 1));
    }
    return writes.toArray(String[]::new);
  }

  private void remember(String image) throws Exception {
    Path file = directory.resolve(image + ".raw");
    expected.put(image, QemuGuest.export(client, REPOSITORY, image, file));
  }

  private void remove(String image) {
    client.removeImage(REPOSITORY, image, RemoveImageOptions.DEFAULT, null);
    expected.remove(image);
  }

  private void throttle(long bytesPerSecond) {
    box.hostIds().forEach(host -> box.client(host).setThrottle(bytesPerSecond));
  }

  private void awaitVolumes(int count) {
    await()
        .atMost(Box.PATIENCE)
        .untilAsserted(() -> assertThat(box.volumes(REPOSITORY)).hasSize(count));
  }

  private void assertContents() throws Exception {
    for (Map.Entry<String, Path> image : expected.entrySet()) {
      OpenRequest reading = new OpenRequest(true, "reader");
      OpenedImage opened = client.openImage(REPOSITORY, image.getKey(), reading, null);
      QemuGuest.assertContent(opened, image.getValue());
      client.closeImage(REPOSITORY, image.getKey(), opened.openId(), null);
    }
  }
}
