package io.quarry.it.full;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.quarry.agent.dev.LocalClusterOptions;
import io.quarry.common.api.Fix;
import io.quarry.common.api.FixInfo;
import io.quarry.common.api.ImageExplanation;
import io.quarry.common.api.ImageExplanation.Obstacle;
import io.quarry.common.api.RemoveImageOptions;
import io.quarry.common.api.StatusQuery;
import io.quarry.common.client.StorageClient;
import io.quarry.common.model.ImageState;
import io.quarry.it.box.Box;
import io.quarry.it.box.Copying;
import io.quarry.it.box.FixQueries;
import io.quarry.it.box.QemuGuest;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * A copy that does not fit waits, reports that, holds up no other copy, and continues when there is
 * room. Without the reserved room the copy would fill the storage and stop all other writers.
 */
@Timeout(300)
final class SpaceWaitIT {
  private static final long MIB = 1L << 20;

  /** The data in each window of a source. */
  private static final long DATA = 24 * MIB;

  private static final int WINDOWS = 4;

  @TempDir static Path directory;

  private static Box box;

  private String main;

  /** The name of the small repository, which is on a filesystem of its own. */
  private String small;

  @BeforeAll
  static void start() throws Exception {
    box = Box.start(LocalClusterOptions.in(directory).withHosts(2));
  }

  @AfterAll
  static void stop() {
    if (box != null) {
      box.close();
    }
  }

  @BeforeEach
  void mount() throws Exception {
    main = box.newName();
    small = box.newName();
    Path image = directory.resolve(small + ".img");
    Path mount = Files.createDirectories(box.repository(small));
    QemuGuest.run(List.of("truncate", "-s", "200M", image.toString()));
    QemuGuest.run(List.of("mkfs.ext4", "-q", "-m", "0", image.toString()));
    Process mounting =
        new ProcessBuilder("mount", "-o", "loop", image.toString(), mount.toString())
            .inheritIO()
            .start();
    Assumptions.assumeTrue(mounting.waitFor() == 0, "mounting takes root and loop devices");
    QemuGuest.run(List.of("rm", "-rf", mount.resolve("lost+found").toString()));
    connect(0);
  }

  private void connect(int host) throws Exception {
    box.connect(main, host);
    box.connect(small, host);
  }

  @AfterEach
  void unmount() throws Exception {
    String mount = box.repository(small).toString();
    new ProcessBuilder("umount", "-l", mount).inheritIO().start().waitFor();
  }

  @Test
  void aCopyWaitsForRoomAndGoesOnWhenItIsThere() throws Exception {
    connect(1);
    StorageClient client = box.client(0);
    String big = snapshot(client, WINDOWS, DATA);
    String little = snapshot(client, 1, MIB);
    String filler = Copying.source(client, small, WINDOWS, DATA);

    Copying copy = Copying.start(box, client, small, big);
    FixInfo waiting =
        await()
            .atMost(Box.PATIENCE)
            .until(
                () -> FixQueries.listed(client, small, big), fix -> fix.state().equals("noSpace"));
    assertThat(waiting.waitsFor()).matches("waiting for space: needs 9[67] MiB, \\d+ MiB free");
    assertThat(waiting.failures()).isZero();
    assertThat(waiting.lastError()).isNull();
    assertThat(client.getImageStatus(small, big, StatusQuery.NOW))
        .satisfies(status -> {
          assertThat(status.state()).isEqualTo(ImageState.BROKEN);
          assertThat(status.reason()).contains("has not been copied yet; waiting for space");
        });
    ImageExplanation why = client.explainImage(small, big, 0);
    assertThat(Objects.requireNonNull(why.fix()).obstacle()).isEqualTo(Obstacle.NO_SPACE);
    assertThat(String.join(" ", why.sentences())).contains("waiting for space: needs 9");
    Fix found = FixQueries.of(client, small, big);
    assertThat(found.state()).isEqualTo("noSpace");
    // The filesystem also counts the metadata of a file.
    assertThat(found.bytesToMove()).isBetween(WINDOWS * DATA, WINDOWS * DATA + MIB);

    // Other copies continue.
    Copying.start(box, box.client(1), small, little).assertBecomes(client, main, little);
    String disk = Box.disk(client, small, 64 * MIB).imageId();
    Box.awaitOptimized(client, small, disk);
    assertThat(FixQueries.listed(client, small, big).state()).isEqualTo("noSpace");

    client.removeImage(small, filler, RemoveImageOptions.DEFAULT, null);
    copy.assertBecomes(client, main, big);
    assertThat(FixQueries.found(client, small)).isEmpty();
  }

  /** A full storage costs a copy no more than its last window. */
  @Test
  void aCopyThatMeetsTheEndOfTheStorageKeepsItsCheckpoint() throws Exception {
    StorageClient client = box.client(0);
    int logged = Files.readString(box.host(0).log()).length();
    String big = snapshot(client, WINDOWS, DATA);
    client.setThrottle(8 * MIB);
    Copying copy = Copying.start(box, client, small, big);
    long reached = Copying.checkpoint(copy.until(task -> Copying.checkpoint(task) > 0));
    // Hardly a byte is written while the test measures and takes the free space.
    client.setThrottle(1);
    Path other = box.repository(small).resolve("other");
    QemuGuest.run(List.of("fallocate", "-l", Long.toString(free() - 2 * MIB), other.toString()));
    client.setThrottle(0);
    FixInfo waiting =
        await()
            .atMost(Box.PATIENCE)
            .until(
                () -> FixQueries.listed(client, small, big), fix -> fix.state().equals("noSpace"));
    assertThat(waiting.failures()).isZero();
    assertThat(waiting.lastError()).isNull();
    assertThat(Objects.requireNonNull(waiting.progress()).bytesDone())
        .isGreaterThanOrEqualTo(reached)
        .isLessThan(WINDOWS * Copying.WINDOW_BYTES);
    assertThat(copy.task()).isEqualTo(Optional.empty());

    Files.delete(other);
    copy.assertBecomes(client, main, big);
    assertThat(Files.readString(box.host(0).log()).substring(logged)).contains("Going on with");
    assertThat(FixQueries.found(client, small)).isEmpty();
  }

  private long free() throws Exception {
    return Files.getFileStore(box.repository(small)).getUsableSpace();
  }

  private String snapshot(StorageClient client, int windows, long dataBytes) throws Exception {
    String disk = Copying.source(client, main, windows, dataBytes);
    String snapshot = Box.snapshot(client, main, disk).imageId();
    Box.awaitOptimized(client, main, disk);
    return snapshot;
  }
}
