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
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * A copy that does not fit waits, reports that, holds up no other copy, and continues when there is
 * room. Without the reserved room the copy would fill the storage and stop all other writers.
 */
@Timeout(300)
final class SpaceWaitIT {
  private static final String MAIN = "main";
  private static final String SMALL = "small";
  private static final long MIB = 1L << 20;

  /** The data in each window of a source. */
  private static final long DATA = 24 * MIB;

  private static final int WINDOWS = 4;

  @TempDir private Path directory;

  @Test
  void aCopyWaitsForRoomAndGoesOnWhenItIsThere() throws Exception {
    try (Box box = start(2)) {
      StorageClient client = box.client(0);
      String big = snapshot(client, WINDOWS, DATA);
      String little = snapshot(client, 1, MIB);
      String filler = Copying.source(client, SMALL, WINDOWS, DATA);

      Copying copy = Copying.start(box, client, SMALL, big);
      FixInfo waiting =
          await()
              .atMost(Box.PATIENCE)
              .until(
                  () -> FixQueries.listed(client, SMALL, big),
                  fix -> fix.state().equals("noSpace"));
      assertThat(waiting.waitsFor()).matches("waiting for space: needs 9[67] MiB, \\d+ MiB free");
      assertThat(waiting.failures()).isZero();
      assertThat(waiting.lastError()).isNull();
      assertThat(client.getImageStatus(SMALL, big, StatusQuery.NOW))
          .satisfies(status -> {
            assertThat(status.state()).isEqualTo(ImageState.BROKEN);
            assertThat(status.reason()).contains("has not been copied yet; waiting for space");
          });
      ImageExplanation why = client.explainImage(SMALL, big, 0);
      assertThat(Objects.requireNonNull(why.fix()).obstacle()).isEqualTo(Obstacle.NO_SPACE);
      assertThat(String.join(" ", why.sentences())).contains("waiting for space: needs 9");
      Fix found = FixQueries.of(client, SMALL, big);
      assertThat(found.state()).isEqualTo("noSpace");
      // The filesystem also counts the metadata of a file.
      assertThat(found.bytesToMove()).isBetween(WINDOWS * DATA, WINDOWS * DATA + MIB);

      // Other copies continue.
      Copying.start(box, box.client(1), SMALL, little).assertBecomes(client, MAIN, little);
      String disk = Box.disk(client, SMALL, 64 * MIB).imageId();
      Box.awaitOptimized(client, SMALL, disk);
      assertThat(FixQueries.listed(client, SMALL, big).state()).isEqualTo("noSpace");

      client.removeImage(SMALL, filler, RemoveImageOptions.DEFAULT, null);
      copy.assertBecomes(client, MAIN, big);
      assertThat(FixQueries.found(client, SMALL)).isEmpty();
    } finally {
      unmount();
    }
  }

  /** A full storage costs a copy no more than its last window. */
  @Test
  void aCopyThatMeetsTheEndOfTheStorageKeepsItsCheckpoint() throws Exception {
    try (Box box = start(1)) {
      StorageClient client = box.client(0);
      String big = snapshot(client, WINDOWS, DATA);
      client.setThrottle(8 * MIB);
      Copying copy = Copying.start(box, client, SMALL, big);
      long reached = Copying.checkpoint(copy.until(task -> Copying.checkpoint(task) > 0));
      // Hardly a byte is written while the test measures and takes the free space.
      client.setThrottle(1);
      Path other = mount().resolve("other");
      QemuGuest.run(List.of("fallocate", "-l", Long.toString(free() - 2 * MIB), other.toString()));
      client.setThrottle(0);
      FixInfo waiting =
          await()
              .atMost(Box.PATIENCE)
              .until(
                  () -> FixQueries.listed(client, SMALL, big),
                  fix -> fix.state().equals("noSpace"));
      assertThat(waiting.failures()).isZero();
      assertThat(waiting.lastError()).isNull();
      assertThat(Objects.requireNonNull(waiting.progress()).bytesDone())
          .isGreaterThanOrEqualTo(reached)
          .isLessThan(WINDOWS * Copying.WINDOW_BYTES);
      assertThat(copy.task()).isEqualTo(Optional.empty());

      Files.delete(other);
      copy.assertBecomes(client, MAIN, big);
      assertThat(Files.readString(box.host(0).log())).contains("Going on with");
      assertThat(FixQueries.found(client, SMALL)).isEmpty();
    } finally {
      unmount();
    }
  }

  private Path mount() {
    return directory.resolve("storage").resolve(SMALL);
  }

  private long free() throws Exception {
    return Files.getFileStore(mount()).getUsableSpace();
  }

  /** The small repository is on a filesystem of its own. */
  private Box start(int hosts) throws Exception {
    Path image = directory.resolve("small.img");
    Files.createDirectories(mount());
    QemuGuest.run(List.of("truncate", "-s", "200M", image.toString()));
    QemuGuest.run(List.of("mkfs.ext4", "-q", "-m", "0", image.toString()));
    Process mounting =
        new ProcessBuilder("mount", "-o", "loop", image.toString(), mount().toString())
            .inheritIO()
            .start();
    Assumptions.assumeTrue(mounting.waitFor() == 0, "mounting takes root and loop devices");
    QemuGuest.run(List.of("rm", "-rf", mount().resolve("lost+found").toString()));
    Box box =
        Box.start(
            LocalClusterOptions.in(directory)
                .withHosts(hosts)
                .withJavaOptions("-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"));
    box.connect(MAIN);
    box.connect(SMALL);
    return box;
  }

  private void unmount() throws Exception {
    new ProcessBuilder("umount", "-l", mount().toString()).inheritIO().start().waitFor();
  }

  private static String snapshot(StorageClient client, int windows, long dataBytes)
      throws Exception {
    String disk = Copying.source(client, MAIN, windows, dataBytes);
    String snapshot = Box.snapshot(client, MAIN, disk).imageId();
    Box.awaitOptimized(client, MAIN, disk);
    return snapshot;
  }
}
