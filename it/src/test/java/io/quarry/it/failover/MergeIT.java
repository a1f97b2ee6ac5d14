package io.quarry.it.failover;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.quarry.common.api.CheckOptions;
import io.quarry.common.api.CreatedImage;
import io.quarry.common.api.ImageExplanation;
import io.quarry.common.api.ImageExplanation.ExplainedFix;
import io.quarry.common.api.ImageExplanation.Obstacle;
import io.quarry.common.api.ImageInfo;
import io.quarry.common.api.ImageOptions;
import io.quarry.common.api.OpenRequest;
import io.quarry.common.api.OpenedImage;
import io.quarry.common.api.RemoveImageOptions;
import io.quarry.common.api.TaskInfo;
import io.quarry.common.client.StorageClient;
import io.quarry.common.model.FixType;
import io.quarry.common.model.VolumeFormat;
import io.quarry.it.box.Box;
import io.quarry.it.box.Copying;
import io.quarry.it.box.QemuGuest;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Snapshots are removed from the middle of a chain, while a VM runs on its top and a host dies in a
 * merge. At every moment each remaining image has its content, and in the end each image has one
 * file.
 */
@Timeout(300)
final class MergeIT {
  private static final String REPOSITORY = "vms";
  private static final long MIB = 1L << 20;
  private static final int WINDOWS = 4;
  private static final long SLOW = 2 * MIB;

  @TempDir private Path directory;

  @SuppressWarnings("NullAway.Init")
  private Box box;

  @SuppressWarnings("NullAway.Init")
  private StorageClient client;

  private @Nullable OpenedImage vm;
  private final Map<String, Path> expected = new LinkedHashMap<>();

  @Test
  void eachImageKeepsItsContentWhileTheChainGetsShorter() throws Exception {
    try (Box started = Box.pair(directory)) {
      box = started;
      client = box.client(0);
      box.connect(REPOSITORY);
      String disk = Copying.source(client, REPOSITORY, WINDOWS, 24 * MIB);
      List<String> snapshots = new ArrayList<>();
      for (int layer = 0; layer < 4; layer++) {
        String snapshot = Box.snapshot(client, REPOSITORY, disk).imageId();
        snapshots.add(snapshot);
        QemuGuest.use(client, REPOSITORY, disk, writes(layer));
      }
      String sibling = diskOver(snapshots.get(1));
      QemuGuest.use(client, REPOSITORY, sibling, "write -P 77 9M 5M");
      for (String image : snapshots) {
        remember(image);
      }
      remember(sibling);
      remember(disk);

      assertRetainedIsLeftAlone(snapshots.get(2));
      vm = client.openImage(REPOSITORY, disk, new OpenRequest(false, "vm"), null);
      // Two images depend on this one, so no merge is possible.
      remove(snapshots.get(1));
      assertThat(client.listFixes(REPOSITORY, 0)).noneMatch(fix -> fix.type() == FixType.MERGE);
      throttle(SLOW);
      remove(snapshots.get(2));
      killTheMerger(snapshots.get(3));
      assertContents();
      throttle(0);
      awaitParent(snapshots.get(3), snapshots.get(1));
      assertContents();
      assertThat(box.volumes(REPOSITORY)).hasSize(7);
      client.closeImage(REPOSITORY, disk, vm.openId(), null);
      vm = null;
      awaitVolumes(5);

      // Now only one image depends on it.
      remove(sibling);
      awaitParent(snapshots.get(3), snapshots.get(0));
      awaitVolumes(3);
      assertContents();

      remove(snapshots.get(0));
      remove(snapshots.get(3));
      awaitVolumes(1);
      assertContents();
      ImageInfo last = client.getImage(REPOSITORY, disk, 0);
      assertThat(last.format()).isEqualTo(VolumeFormat.RAW);
      assertThat(last.parentImageId()).isNull();
      assertThat(client.checkStorageRepository(REPOSITORY, CheckOptions.DEFAULT).fixes()).isEmpty();
      assertThat(box.repository(REPOSITORY).resolve("fixes")).isEmptyDirectory();
    }
  }

  /**
   * As long as a removal can be undone, no host may merge the image, and no caller can request the
   * merge.
   */
  private void assertRetainedIsLeftAlone(String snapshot) {
    var retain = new RemoveImageOptions(true, Duration.ofHours(1));
    client.removeImage(REPOSITORY, snapshot, retain, null);
    ImageExplanation hidden = client.explainImage(REPOSITORY, snapshot, 0);
    ExplainedFix merge = requireNonNull(hidden.fix());
    assertThat(merge.type()).isEqualTo(FixType.MERGE);
    assertThat(merge.obstacle()).isEqualTo(Obstacle.RETAINED);
    assertThat(client.checkStorageRepository(REPOSITORY, CheckOptions.DEFAULT).fixes())
        .noneMatch(fix -> fix.type() == FixType.MERGE);
    assertThat(
            client
                .explainImage(REPOSITORY, hidden.neededBy().getFirst().id(), 0)
                .sentences()
                .getFirst())
        .isEqualTo(
            "It is optimized. The data of a removed image below goes into it, which frees space.");
    client.restoreImage(REPOSITORY, snapshot, null);
  }

  /** Data over data, data over nothing, and zeros over data, in each window. */
  private static String[] writes(int layer) {
    List<String> writes = new ArrayList<>();
    for (int window = 0; window < WINDOWS; window++) {
      long start = window * Copying.WINDOW_BYTES / MIB + 3L * layer;
      writes.add("write -P %d %dM 6M".formatted(100 + layer, start));
      writes.add("write -P %d %dM 1M".formatted(120 + layer, start + 40));
      writes.add("write -z %dM 1M".formatted(start + 1));
    }
    return writes.toArray(String[]::new);
  }

  private String diskOver(String snapshot) {
    CreatedImage disk =
        client.createVirtualDisk(
            REPOSITORY,
            Box.newDisk(WINDOWS * Copying.WINDOW_BYTES, snapshot, ImageOptions.DEFAULT),
            null);
    Box.awaitOptimized(client, REPOSITORY, disk.imageId());
    return disk.imageId();
  }

  private void remember(String image) throws Exception {
    expected.put(
        image, QemuGuest.export(client, REPOSITORY, image, directory.resolve(image + ".raw")));
  }

  private void remove(String image) {
    client.removeImage(REPOSITORY, image, RemoveImageOptions.DEFAULT, null);
    expected.remove(image);
  }

  private void throttle(long bytesPerSecond) {
    box.hostIds().forEach(host -> box.client(host).setThrottle(bytesPerSecond));
  }

  private void killTheMerger(String image) throws Exception {
    TaskInfo killed = new Copying(box, REPOSITORY, image).killWorkerAtCheckpoint();
    assertThat(killed.fixId()).startsWith("merge-");
    box.connect(REPOSITORY);
  }

  private void awaitParent(String image, String parent) {
    await()
        .atMost(Box.PATIENCE)
        .until(() -> parent.equals(client.getImage(REPOSITORY, image, 0).parentImageId()));
  }

  private void awaitVolumes(int count) {
    await()
        .atMost(Box.PATIENCE)
        .untilAsserted(() -> assertThat(box.volumes(REPOSITORY)).hasSize(count));
  }

  private void assertContents() throws Exception {
    for (Map.Entry<String, Path> image : expected.entrySet()) {
      if (vm != null && image.getKey().equals(vm.imageId())) {
        QemuGuest.assertContent(vm, image.getValue());
      } else {
        OpenedImage opened =
            client.openImage(REPOSITORY, image.getKey(), new OpenRequest(true, "reader"), null);
        QemuGuest.assertContent(opened, image.getValue());
        client.closeImage(REPOSITORY, image.getKey(), opened.openId(), null);
      }
    }
  }
}
