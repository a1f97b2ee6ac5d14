package io.quarry.it.space;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.quarry.common.api.FixRequest;
import io.quarry.common.api.ImageInfo;
import io.quarry.common.api.ImageOptions;
import io.quarry.common.api.ImageQuery;
import io.quarry.common.api.OpenRequest;
import io.quarry.common.api.OpenedImage;
import io.quarry.common.api.RemoveImageOptions;
import io.quarry.common.client.StorageClient;
import io.quarry.common.model.FixType;
import io.quarry.it.box.Box;
import io.quarry.it.box.Copying;
import io.quarry.it.box.FixQueries;
import io.quarry.it.box.QemuGuest;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Every host reports the size of images, and what their removal frees. If bases counted for each
 * disk over them, a disk would report more than its removal frees.
 */
@Timeout(300)
final class SpaceIT {
  private static final long MIB = 1L << 20;
  private static final long SIZE = 64 * MIB;
  private static final long DATA = 8 * MIB;

  /** The size of a qcow2 file without data. */
  private static final long EMPTY_MAX = MIB;

  @TempDir static Path directory;

  private static Box box;
  private static StorageClient client;

  @BeforeAll
  static void start() throws Exception {
    box = Box.pair(directory);
    client = box.client(0);
  }

  @AfterAll
  static void stop() {
    if (box != null) {
      box.close();
    }
  }

  @Test
  void removingImagesFreesWhatWasExclusiveToThem() throws Exception {
    String repoId = "family";
    box.connect(repoId);
    String disk = diskWithData(repoId);
    assertThat(image(repoId, disk).size()).isEqualTo(SIZE);
    assertThat(image(repoId, disk).actualBytes()).isBetween(DATA, DATA + EMPTY_MAX);
    assertThat(image(repoId, disk).exclusiveBytes()).isEqualTo(image(repoId, disk).actualBytes());

    String base = Box.snapshot(client, repoId, disk).imageId();
    String other = diskOver(repoId, base);
    QemuGuest.use(client, repoId, other, "write -P 3 32M " + DATA, "flush");
    assertThat(image(repoId, base).actualBytes()).isBetween(DATA, DATA + EMPTY_MAX);
    assertThat(image(repoId, base).exclusiveBytes()).isZero();
    assertThat(image(repoId, disk).exclusiveBytes()).isBetween(1L, EMPTY_MAX);
    // No caller requests the merge of its data into the last image over it.
    assertRemovalFrees(repoId, base, new RemoveImageOptions(false, Duration.ZERO), 0);

    // The base is shared by both disks, and stays.
    assertThat(image(repoId, other).exclusiveBytes()).isBetween(DATA, DATA + EMPTY_MAX);
    assertRemovalFrees(repoId, other, RemoveImageOptions.DEFAULT, 1);

    // Now no other image shares the base.
    ImageInfo last = image(repoId, disk);
    assertThat(last.actualBytes()).isBetween(1L, EMPTY_MAX);
    assertThat(last.exclusiveBytes()).isBetween(DATA, DATA + 2 * EMPTY_MAX);
    assertThat(last.exclusiveBytes()).isEqualTo(used(repoId));
    assertRemovalFrees(repoId, disk, RemoveImageOptions.DEFAULT, 2);
    assertThat(used(repoId)).isZero();
  }

  @Test
  void guestsAndUnfinishedCopiesCountWhileTheyWrite() throws Exception {
    String repoId = "growing";
    box.connect(repoId);
    box.connect("elsewhere");
    String disk = Box.disk(client, repoId, SIZE).imageId();
    Box.awaitOptimized(client, repoId, disk);
    OpenedImage opened = client.openImage(repoId, disk, new OpenRequest(false, "guest"), null);
    QemuGuest.run(
        List.of(
            "qemu-io", "-f", "raw", "-c", "write -P 1 0 " + DATA, "-c", "flush", opened.path()));
    awaitUsed(repoId);
    client.closeImage(repoId, disk, opened.openId(), null);

    String source = Copying.source(client, "elsewhere", 3, DATA);
    throttle(MIB);
    try {
      Copying copy = Copying.start(box, client, repoId, source);
      copy.until(task -> Copying.checkpoint(task) >= 0);
      await().atMost(Box.PATIENCE).until(() -> image(repoId, copy.imageId()).actualBytes() >= MIB);
      throttle(0);
      Box.awaitOptimized(client, repoId, copy.imageId());
      assertThat(image(repoId, copy.imageId()).exclusiveBytes())
          .isBetween(3 * DATA, 3 * DATA + MIB);
    } finally {
      throttle(0);
    }
  }

  private static String diskWithData(String repoId) throws Exception {
    String disk = Box.disk(client, repoId, SIZE).imageId();
    Box.awaitOptimized(client, repoId, disk);
    QemuGuest.use(client, repoId, disk, "write -P 7 0 " + DATA, "flush");
    return disk;
  }

  private static String diskOver(String repoId, String base) {
    var request = Box.newDisk(SIZE, base, ImageOptions.DEFAULT);
    String disk = client.createVirtualDisk(repoId, request, null).imageId();
    Box.awaitOptimized(client, repoId, disk);
    return disk;
  }

  /**
   * @param files other files that the removal frees
   */
  private static void assertRemovalFrees(
      String repoId, String imageId, RemoveImageOptions options, int files) throws Exception {
    awaitUsed(repoId);
    long before = used(repoId);
    int volumes = box.volumes(repoId).size();
    long exclusive = image(repoId, imageId).exclusiveBytes();
    assertListed(repoId, imageId, exclusive);
    client.removeImage(repoId, imageId, options, null);
    await()
        .atMost(Box.PATIENCE)
        .until(() -> {
          askForCleaning(repoId);
          return box.volumes(repoId).size() == volumes - files;
        });
    awaitUsed(repoId);
    assertThat(before - used(repoId))
        .as("bytes freed by removing %s", imageId)
        .isEqualTo(exclusive);
  }

  private static void askForCleaning(String repoId) {
    FixQueries.found(client, repoId).stream()
        .filter(fix -> fix.type() == FixType.CLEAN && fix.state().equals("waiting"))
        .forEach(fix -> client.fixStorageRepository(repoId, new FixRequest(fix), null));
  }

  /** Waits until the listings of all hosts agree, without a new look at the files. */
  private static void assertListed(String repoId, String imageId, long exclusive) {
    for (String hostId : box.hostIds()) {
      await()
          .atMost(Box.PATIENCE)
          .until(() ->
              box.client(hostId).listImages(repoId, ImageQuery.ALL).images().stream()
                  .filter(image -> image.imageId().equals(imageId))
                  .anyMatch(image -> image.exclusiveBytes() == exclusive));
    }
  }

  /** Waits until all hosts report the true size of the files. */
  private static void awaitUsed(String repoId) {
    for (String hostId : box.hostIds()) {
      await()
          .atMost(Box.PATIENCE)
          .until(
              () -> box.client(hostId).getStorageRepository(repoId).usedBytes() == onDisk(repoId));
    }
  }

  private static long onDisk(String repoId) throws IOException, InterruptedException {
    long blocks = 0;
    for (String file : box.volumes(repoId)) {
      Path path = box.repository(repoId).resolve("volumes").resolve(file);
      blocks += Long.parseLong(QemuGuest.run(List.of("stat", "-c", "%b", path.toString())).strip());
    }
    return 512 * blocks;
  }

  private static long used(String repoId) {
    return client.getStorageRepository(repoId).usedBytes();
  }

  private static ImageInfo image(String repoId, String imageId) {
    return client.getImage(repoId, imageId, 0);
  }

  private static void throttle(long bytesPerSecond) {
    box.hostIds().forEach(hostId -> box.client(hostId).setThrottle(bytesPerSecond));
  }
}
