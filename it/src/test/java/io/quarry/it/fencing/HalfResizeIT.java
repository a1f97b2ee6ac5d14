package io.quarry.it.fencing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.quarry.agent.dev.LocalClusterOptions;
import io.quarry.agent.dev.LocalHost;
import io.quarry.common.api.OpenedImage;
import io.quarry.common.client.StorageClient;
import io.quarry.it.box.Box;
import io.quarry.it.box.FixQueries;
import io.quarry.it.box.Pausing;
import io.quarry.it.box.QemuGuest;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * The host that took a resize stops half-way, and another host finishes it. When the first host
 * wakes up or restarts, its actions change neither sizes nor contents.
 */
@Timeout(300)
final class HalfResizeIT {
  private static final Duration SESSION = Duration.ofSeconds(5);
  private static final long MIB = 1L << 20;

  @TempDir static Path directory;

  private static Box box;

  /** One sound host, and for each place one that stops there. */
  @BeforeAll
  static void start() throws Exception {
    LocalClusterOptions options = LocalClusterOptions.in(directory).withSessionTimeout(SESSION);
    box = Box.start(options);
    for (String place : List.of("made", "publish")) {
      box.addOdd(
          place,
          options,
          "-Dquarry.fault.stopAt=mend." + place,
          "-Dquarry.fault.armedBy=" + armed(place));
    }
  }

  @AfterAll
  static void stop() {
    if (box != null) {
      box.close();
    }
  }

  /** Another host finishes the resize, and a guest uses the room. */
  private static void growAgain(StorageClient client, String repoId, String disk) throws Exception {
    Box.awaitOptimized(client, repoId, disk);
    assertThat(QemuGuest.look(client, repoId, disk).size()).isEqualTo(16 * MIB);
    QemuGuest.use(client, repoId, disk, "read -P 0 8M 8M", "write -P 2 12M 4M", "flush");
    client.resizeImage(repoId, disk, 24 * MIB, null);
    Box.awaitOptimized(client, repoId, disk);
    QemuGuest.use(client, repoId, disk, "write -P 3 20M 4M", "flush");
  }

  private static Path armed(String place) {
    return directory.resolve("armed-" + place);
  }

  /** An agent stops once in its life, so each host is killed first and wakes up later. */
  @ParameterizedTest
  @CsvSource({"made,false", "publish,false", "made,true", "publish,true"})
  void anotherHostFinishesTheResize(String place, boolean wakes) throws Exception {
    String repoId = box.newName();
    int number = box.hostIds().indexOf(place);
    box.connect(repoId, 0);
    box.connect(repoId, number);
    StorageClient client = box.client(0);
    LocalHost odd = box.host(number);
    Path armed = armed(place);
    String disk = Box.disk(client, repoId, 8 * MIB).imageId();
    Box.awaitOptimized(client, repoId, disk);
    QemuGuest.use(client, repoId, disk, "write -P 1 0 8M");

    int logged = Files.readString(odd.log()).length();
    Files.createFile(armed);
    try (ExecutorService callers = Executors.newVirtualThreadPerTaskExecutor();
        StorageClient both = box.patientClient(place, box.hostIds().getFirst())) {
      Future<?> resize = callers.submit(() -> both.resizeImage(repoId, disk, 16 * MIB, null));
      await().atMost(Box.PATIENCE).until(() -> Pausing.stopped(odd));
      if (!wakes) {
        Files.delete(armed);
        odd.killAgent();
      }
      growAgain(client, repoId, disk);
      if (wakes) {
        odd.resumeAgent();
      }
      resize.get();
    }
    odd.awaitReady(Box.PATIENCE);
    if (wakes) {
      await()
          .atMost(Box.PATIENCE)
          .until(() -> Pausing.gaveUpMend(Files.readString(odd.log()).substring(logged)));
    } else {
      box.connect(repoId, number);
    }
    OpenedImage grown = QemuGuest.look(box.client(number), repoId, disk);
    assertThat(grown.size()).isEqualTo(24 * MIB);
    QemuGuest.assertSound(client, repoId, disk);
    QemuGuest.use(
        client,
        repoId,
        disk,
        "read -P 1 0 8M",
        "read -P 0 8M 4M",
        "read -P 2 12M 4M",
        "read -P 0 16M 4M",
        "read -P 3 20M 4M");
    FixQueries.runAll(client, repoId);
    assertThat(box.volumes(repoId))
        .as("one file for each image")
        .hasSize(1 + QemuGuest.look(client, repoId, disk).backingChain().size());
  }
}
