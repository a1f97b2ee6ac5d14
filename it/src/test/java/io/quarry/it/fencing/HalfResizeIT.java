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
  private static final String REPOSITORY = "vms";
  private static final Duration SESSION = Duration.ofSeconds(5);
  private static final long MIB = 1L << 20;

  @ParameterizedTest
  @CsvSource({"mend.made,true", "mend.publish,true", "mend.made,false", "mend.publish,false"})
  void anotherHostFinishesTheResize(String place, boolean wakes, @TempDir Path directory)
      throws Exception {
    LocalClusterOptions options = LocalClusterOptions.in(directory).withSessionTimeout(SESSION);
    try (Box box = Box.start(options)) {
      Path armed = directory.resolve("armed");
      box.addOdd(
          "odd", options, "-Dquarry.fault.stopAt=" + place, "-Dquarry.fault.armedBy=" + armed);
      box.connect(REPOSITORY);
      StorageClient client = box.client(0);
      LocalHost odd = box.host("odd");
      String disk = Box.disk(client, REPOSITORY, 8 * MIB).imageId();
      Box.awaitOptimized(client, REPOSITORY, disk);
      QemuGuest.use(client, REPOSITORY, disk, "write -P 1 0 8M");

      Files.createFile(armed);
      try (StorageClient both = box.impatientClient("odd", box.hostIds().getFirst())) {
        both.resizeImage(REPOSITORY, disk, 16 * MIB, null);
      }
      await().atMost(Box.PATIENCE).until(() -> Pausing.stopped(odd));
      if (!wakes) {
        Files.delete(armed);
        odd.killAgent();
      }
      Box.awaitOptimized(client, REPOSITORY, disk);
      assertThat(QemuGuest.look(client, REPOSITORY, disk).size()).isEqualTo(16 * MIB);
      QemuGuest.use(client, REPOSITORY, disk, "read -P 0 8M 8M", "write -P 2 12M 4M", "flush");
      client.resizeImage(REPOSITORY, disk, 24 * MIB, null);
      Box.awaitOptimized(client, REPOSITORY, disk);
      QemuGuest.use(client, REPOSITORY, disk, "write -P 3 20M 4M", "flush");

      if (wakes) {
        odd.resumeAgent();
      }
      odd.awaitReady(Box.PATIENCE);
      if (wakes) {
        await()
            .atMost(Box.PATIENCE)
            .until(() -> Files.readString(odd.log()).contains("No longer needed: mend-"));
      } else {
        box.connect(REPOSITORY, 1);
      }
      OpenedImage grown = QemuGuest.look(box.client("odd"), REPOSITORY, disk);
      assertThat(grown.size()).isEqualTo(24 * MIB);
      QemuGuest.assertSound(client, REPOSITORY, disk);
      QemuGuest.use(
          client,
          REPOSITORY,
          disk,
          "read -P 1 0 8M",
          "read -P 0 8M 4M",
          "read -P 2 12M 4M",
          "read -P 0 16M 4M",
          "read -P 3 20M 4M");
      FixQueries.runAll(client, REPOSITORY);
      assertThat(box.volumes(REPOSITORY))
          .as("one file for each image")
          .hasSize(1 + QemuGuest.look(client, REPOSITORY, disk).backingChain().size());
    }
  }
}
