package io.quarry.it.failover;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.quarry.common.api.CheckOptions;
import io.quarry.common.api.CopyImageRequest;
import io.quarry.common.api.CreatedImage;
import io.quarry.common.api.ImageOptions;
import io.quarry.common.api.ImageStatus;
import io.quarry.common.api.Problem;
import io.quarry.common.api.RemoveImageOptions;
import io.quarry.common.api.StatusQuery;
import io.quarry.common.client.StorageClient;
import io.quarry.common.model.ImageState;
import io.quarry.it.box.Box;
import io.quarry.it.box.Copying;
import io.quarry.it.box.QemuGuest;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * A chain of snapshots is exported as differences, the upper ones first. Then the chain is lost,
 * and brought back the same way. A host dies while it copies a difference of two layers.
 */
@Timeout(300)
final class DifferenceIT {
  private static final String MAIN = "vms";
  private static final String BACKUP = "backup";
  private static final String OTHER = "other";
  private static final String LATE = "late";
  private static final long MIB = 1L << 20;
  private static final int WINDOWS = 4;
  private static final long SLOW = 2 * MIB;

  @TempDir private Path directory;

  @SuppressWarnings("NullAway.Init")
  private Box box;

  @SuppressWarnings("NullAway.Init")
  private StorageClient client;

  private final Map<String, Path> expected = new LinkedHashMap<>();

  @Test
  void differencesComeInAnyOrderAndGoBack() throws Exception {
    try (Box started = Box.pair(directory)) {
      box = started;
      client = box.client(0);
      connectAll();
      String disk = Copying.source(client, MAIN, WINDOWS, 24 * MIB);
      List<String> snapshots = new ArrayList<>();
      for (int layer = 0; layer < 3; layer++) {
        snapshots.add(Box.snapshot(client, MAIN, disk).imageId());
        QemuGuest.use(client, MAIN, disk, writes(layer));
      }
      for (String image : snapshots) {
        remember(image);
      }
      remember(disk);

      copy(MAIN, BACKUP, snapshots.get(2), snapshots.get(1));
      awaitReason(snapshots.get(2), "its base " + snapshots.get(1) + " is missing");
      assertThat(client.explainImage(BACKUP, snapshots.get(2), 0).sentences())
          .containsExactly(
              "It is broken: its base " + snapshots.get(1) + " is missing.",
              "No fix can do that here: copy the base into this repository.");
      assertThat(client.checkStorageRepository(BACKUP, CheckOptions.DEFAULT).problems())
          .singleElement()
          .satisfies(problem -> {
            assertThat(problem.kind()).isEqualTo(Problem.Kind.MISSING_BASE);
            assertThat(problem.imageId()).isEqualTo(snapshots.get(2));
            assertThat(problem.remedy()).contains("copy image " + snapshots.get(1));
          });
      // A full copy of an image that is not whole has to wait for the base, too.
      copy(BACKUP, LATE, snapshots.get(2), null);
      String saved = copy(MAIN, BACKUP, disk, snapshots.get(2)).imageId();
      expected.put(saved, expectedOf(disk));
      awaitReason(saved, "its base " + snapshots.get(1) + " is missing");
      copy(MAIN, BACKUP, snapshots.get(1), snapshots.get(0));
      copy(MAIN, BACKUP, snapshots.get(0), null);
      for (String image : List.of(snapshots.get(0), snapshots.get(1), snapshots.get(2), saved)) {
        assertArrived(BACKUP, image);
      }
      assertArrived(LATE, snapshots.get(2));
      assertThat(client.getImage(BACKUP, snapshots.get(2), 0).actualBytes())
          .as("a difference is small")
          .isLessThan(WINDOWS * 24 * MIB / 2);

      copyTwoLayersAndKill(snapshots.get(2), snapshots.get(0));

      // All images are lost, and come back from the backup.
      client.removeImage(MAIN, disk, RemoveImageOptions.DEFAULT, null);
      snapshots.forEach(image -> client.removeImage(MAIN, image, RemoveImageOptions.DEFAULT, null));
      await().atMost(Box.PATIENCE).until(() -> box.volumes(MAIN).isEmpty());
      copy(BACKUP, MAIN, snapshots.get(1), snapshots.get(0));
      copy(BACKUP, MAIN, snapshots.get(2), snapshots.get(1));
      String back = copy(BACKUP, MAIN, saved, snapshots.get(2)).imageId();
      expected.put(back, expectedOf(disk));
      copy(BACKUP, MAIN, snapshots.get(0), null);
      for (String image : List.of(snapshots.get(0), snapshots.get(1), snapshots.get(2), back)) {
        assertArrived(MAIN, image);
      }
      awaitNothingLeft();
    }
  }

  private void connectAll() throws Exception {
    for (String repoId : List.of(MAIN, BACKUP, OTHER, LATE)) {
      box.connect(repoId);
    }
  }

  private static String[] writes(int layer) {
    List<String> writes = new ArrayList<>();
    for (int window = 0; window < WINDOWS; window++) {
      long start = window * Copying.WINDOW_BYTES / MIB + 4L * layer;
      writes.add("write -P %d %dM 5M".formatted(100 + layer, start));
      writes.add("write -z %dM 1M".formatted(start + 1));
    }
    return writes.toArray(String[]::new);
  }

  private void remember(String image) throws Exception {
    expected.put(image, QemuGuest.export(client, MAIN, image, directory.resolve(image + ".raw")));
  }

  private Path expectedOf(String image) {
    return Objects.requireNonNull(expected.get(image));
  }

  private CreatedImage copy(String from, String to, String image, @Nullable String base) {
    ImageOptions options =
        new ImageOptions(true, ImageOptions.DEFAULT.strategy(), List.of(from), Map.of());
    return client.copyImage(
        to,
        new CopyImageRequest(image, base, JsonNodeFactory.instance.objectNode(), options),
        null);
  }

  private void awaitReason(String image, String reason) {
    await()
        .atMost(Box.PATIENCE)
        .untilAsserted(() -> {
          ImageStatus status = client.getImageStatus(BACKUP, image, StatusQuery.NOW);
          assertThat(status.state()).isEqualTo(ImageState.BROKEN);
          assertThat(status.reason()).isEqualTo(reason);
        });
  }

  private void assertArrived(String repoId, String image) throws Exception {
    Box.awaitOptimized(client, repoId, image);
    QemuGuest.assertContent(client, repoId, image, expectedOf(image));
  }

  /** Only the base may show through from below, and no data of the two layers may be missing. */
  private void copyTwoLayersAndKill(String image, String base) throws Exception {
    box.hostIds().forEach(host -> box.client(host).setThrottle(SLOW));
    copy(MAIN, OTHER, image, base);
    new Copying(box, OTHER, image).killWorkerAtCheckpoint();
    connectAll();
    box.hostIds().forEach(host -> box.client(host).setThrottle(0));
    copy(MAIN, OTHER, base, null);
    assertArrived(OTHER, image);
  }

  private void awaitNothingLeft() {
    for (String repoId : List.of(MAIN, BACKUP, OTHER, LATE)) {
      await()
          .atMost(Box.PATIENCE)
          .untilAsserted(() ->
              assertThat(client.checkStorageRepository(repoId, CheckOptions.DEFAULT).fixes())
                  .isEmpty());
      assertThat(box.repository(repoId).resolve("fixes")).isEmptyDirectory();
    }
  }
}
