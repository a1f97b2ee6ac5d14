package io.quarry.it.fencing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.quarry.agent.dev.LocalClusterOptions;
import io.quarry.agent.dev.LocalHost;
import io.quarry.common.api.CreateSnapshotRequest;
import io.quarry.common.api.ImageOptions;
import io.quarry.common.api.OpenedImage;
import io.quarry.common.api.TaskInfo;
import io.quarry.common.client.StorageClient;
import io.quarry.it.box.Box;
import io.quarry.it.box.Copying;
import io.quarry.it.box.FixQueries;
import io.quarry.it.box.Pausing;
import io.quarry.it.box.QemuGuest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A worker that other hosts took for lost wakes up and completes its writes. If every predecessor
 * counted as dead, the copy would never be whole. The successor would try to use the file that the
 * sleeping worker still has locked.
 */
@Timeout(300)
final class ZombieWorkerIT {
  private static final Duration SESSION = Duration.ofSeconds(5);
  private static final long MIB = 1L << 20;

  /** The windows of a copy, each with that much data. */
  private static final int WINDOWS = 4;

  private static final long DATA = 24 * MIB;

  @TempDir static Path directory;

  private static Box box;

  private String repoId;

  /** Two sound hosts, and for each place one that stops there. */
  @BeforeAll
  static void start() throws Exception {
    LocalClusterOptions options =
        LocalClusterOptions.in(directory).withHosts(2).withSessionTimeout(SESSION);
    box = Box.start(options);
    for (String place : List.of("made", "publish")) {
      box.addOdd(place, options, "-Dquarry.fault.stopAt=mend." + place);
    }
  }

  @AfterAll
  static void stop() {
    if (box != null) {
      box.close();
    }
  }

  @BeforeEach
  void connectFirstHost() throws Exception {
    repoId = box.newName();
    box.connect(repoId, 0);
  }

  @Test
  void wokenCopierDoesNotTouchWhatAnotherHostPublished() throws Exception {
    box.connect(repoId, 1);
    String source = Copying.source(box.client(0), repoId, WINDOWS, DATA);
    box.client(0).setThrottle(6 * MIB);
    box.client(1).setThrottle(6 * MIB);
    Copying copy = Copying.start(box, box.client(0), repoId, source);

    TaskInfo task = copy.until(any -> true);
    LocalHost zombie = box.host(task.hostId());
    LocalHost successor = zombie == box.host(0) ? box.host(1) : box.host(0);
    StorageClient client = box.client(successor.hostId());
    copy.until(now -> Copying.checkpoint(now) >= Copying.WINDOW_BYTES);
    zombie.pauseAgent();
    assertThat(copy.files(task)).hasSize(1);
    String abandoned = copy.files(task).getFirst();

    client.setThrottle(0);
    Box.awaitOptimized(client, repoId, copy.imageId());
    OpenedImage published = QemuGuest.look(client, repoId, copy.imageId());
    Path file = Path.of(published.path());
    assertThat(file.getFileName()).hasToString(nextEpoch(abandoned));
    QemuGuest.assertSameContent(published, QemuGuest.look(client, repoId, source));
    // A guest overwrites all that the zombie may still write.
    List<String> writes = new ArrayList<>();
    for (int window = 0; window < WINDOWS; window++) {
      writes.add("write -P 0x5a %d %d".formatted(window * Copying.WINDOW_BYTES, DATA));
    }
    writes.add("flush");
    QemuGuest.use(client, repoId, copy.imageId(), writes.toArray(String[]::new));
    String expected = QemuGuest.sha256(file);

    zombie.resumeAgent();
    zombie.awaitReady(Box.PATIENCE);
    await()
        .atMost(Box.PATIENCE)
        .until(() ->
            box.client(zombie.hostId()).listTasks(zombie.hostId()).isEmpty()
                && logOf(zombie).contains(task.fixId() + " epoch 1"));

    assertThat(QemuGuest.sha256(file)).isEqualTo(expected);
    assertThat(logOf(zombie)).doesNotContain("Done: " + task.fixId());
    assertThat(QemuGuest.look(client, repoId, copy.imageId()).path()).isEqualTo(file.toString());
    assertThat(QemuGuest.look(box.client(zombie.hostId()), repoId, copy.imageId()).path())
        .isEqualTo(file.toString());
    FixQueries.runAll(client, repoId);
    assertThat(box.volumes(repoId)).doesNotContain(abandoned).contains(nextEpoch(abandoned));
    assertThat(box.repository(repoId).resolve("fixes")).isEmptyDirectory();
    box.client(zombie.hostId()).setThrottle(0);
  }

  @ParameterizedTest
  @ValueSource(strings = {"made", "publish"})
  void wokenMenderDoesNotTouchWhatAnotherHostPublished(String place) throws Exception {
    StorageClient client = box.client(0);
    LocalHost zombie = box.host(place);
    String disk = Box.disk(client, repoId, 64 * MIB).imageId();
    Box.awaitOptimized(client, repoId, disk);
    QemuGuest.use(client, repoId, disk, "write -P 1 0 8M");
    // A slow mend of the disk could be given to the odd host, too, and stop there.
    box.connect(repoId, box.hostIds().indexOf(place));

    var request =
        new CreateSnapshotRequest(
            disk, JsonNodeFactory.instance.objectNode(), ImageOptions.DEFAULT);
    String snapshot;
    Path file;
    String expected;
    var _ =
        CompletableFuture.supplyAsync(
            () -> box.client(place).createSnapshot(repoId, request, "once"));
    try {
      await().atMost(Box.PATIENCE).until(() -> Pausing.stopped(zombie));
      snapshot = client.createSnapshot(repoId, request, "once").imageId();
      Box.awaitOptimized(client, repoId, disk);
      file = Path.of(QemuGuest.look(client, repoId, disk).path());
      assertThat(file.getFileName().toString()).endsWith(".2.qcow2");
      QemuGuest.use(client, repoId, disk, "write -P 2 4M 8M", "flush");
      expected = QemuGuest.sha256(file);
    } finally {
      zombie.resumeAgent();
    }
    zombie.awaitReady(Box.PATIENCE);
    await().atMost(Box.PATIENCE).until(() -> Pausing.gaveUpMend(logOf(zombie)));

    assertThat(QemuGuest.sha256(file)).isEqualTo(expected);
    OpenedImage still = QemuGuest.look(box.client(place), repoId, disk);
    assertThat(still.path()).isEqualTo(file.toString());
    assertThat(still.backingChain()).hasSize(1);
    assertThat(still.backingChain().getFirst().imageId()).isEqualTo(snapshot);
    QemuGuest.assertSound(client, repoId, disk);
    QemuGuest.use(client, repoId, disk, "read -P 1 0 4M", "read -P 2 4M 8M");
    FixQueries.runAll(client, repoId);
    assertThat(box.volumes(repoId)).hasSize(2);
    assertThat(box.repository(repoId).resolve("fixes")).isEmptyDirectory();
  }

  private static String nextEpoch(String file) {
    assertThat(file).endsWith(".1.raw");
    return file.replace(".1.raw", ".2.raw");
  }

  private static String logOf(LocalHost host) throws IOException {
    return Files.readString(host.log());
  }
}
