package io.quarry.it.fencing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.quarry.agent.data.os.Folder;
import io.quarry.agent.dev.LocalClusterOptions;
import io.quarry.agent.dev.LocalHost;
import io.quarry.agent.storage.directory.DirectorySlotStore;
import io.quarry.common.api.CreatedImage;
import io.quarry.common.api.StorageException;
import io.quarry.common.client.StorageClient;
import io.quarry.coordinator.log.LogReader;
import io.quarry.coordinator.log.LogState;
import io.quarry.it.box.Box;
import io.quarry.it.box.Pausing;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * An SDM that was paused during a commit wakes up long after the log has moved on. If records
 * counted as committed once they were linked, the SDM would acknowledge disks that a fresh reader
 * does not see.
 */
@Timeout(300)
final class ZombieSdmIT {
  private static final long SIZE = 1 << 20;
  private static final int BEFORE = 5;
  private static final int CALLERS = 8;

  /** More than enough commits for a checkpoint to cover and free the paused SDM's next name. */
  private static final int MEANWHILE = 120;

  @TempDir static Path directory;

  private static Box box;

  private String repoId;

  /** Two sound hosts, and for each place one that stops there. */
  @BeforeAll
  static void start() throws Exception {
    LocalClusterOptions options =
        LocalClusterOptions.in(directory)
            .withHosts(2)
            .withSessionTimeout(Duration.ofSeconds(5))
            .withJavaOptions(
                "-Xmx256m",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-Dquarry.checkpoint.records=20");
    box = Box.start(options);
    for (String place : List.of("put", "validate")) {
      box.addOdd(
          place,
          options,
          "-Dquarry.fault.stopAt=log." + place,
          "-Dquarry.fault.armedBy=" + trigger(place));
    }
  }

  @AfterAll
  static void stop() {
    if (box != null) {
      box.close();
    }
  }

  @BeforeEach
  void nameRepository() {
    repoId = box.newName();
  }

  private static Path trigger(String place) {
    return directory.resolve("pause-now-" + place);
  }

  @ParameterizedTest
  @ValueSource(strings = {"put", "validate"})
  void wokenSdmAcknowledgesNothingThatReadersDoNotSee(String place) throws Exception {
    Queue<CreatedImage> acknowledged = new ConcurrentLinkedQueue<>();
    Queue<StorageException> refused = new ConcurrentLinkedQueue<>();
    try (ExecutorService callers = Executors.newVirtualThreadPerTaskExecutor()) {
      LocalHost zombie = box.host(place);
      StorageClient paused = box.client(place);
      int odd = box.hostIds().indexOf(place);
      box.connect(repoId, odd);
      assertThat(box.awaitSdm(repoId, odd)).isEqualTo(place);
      box.connect(repoId, 0);
      box.connect(repoId, 1);
      Path trigger = trigger(place);
      for (int disk = 0; disk < BEFORE; disk++) {
        acknowledged.add(Box.disk(paused, repoId, SIZE));
      }

      Files.createFile(trigger);
      for (int caller = 0; caller < CALLERS; caller++) {
        var _ =
            callers.submit(() -> {
              try {
                acknowledged.add(Box.disk(paused, repoId, SIZE));
              } catch (StorageException e) {
                refused.add(e);
              }
            });
      }
      await().atMost(Box.PATIENCE).until(() -> Pausing.stopped(zombie));
      String next = nextName();
      await().atMost(Box.PATIENCE).until(() -> !box.awaitSdm(repoId, 0, 1).equals(place));
      for (int disk = 0; disk < MEANWHILE; disk++) {
        acknowledged.add(Box.disk(box.client(disk % 2), repoId, SIZE));
      }
      await()
          .atMost(Box.PATIENCE)
          .until(() -> !Files.exists(box.repository(repoId).resolve("log").resolve(next)));

      Files.delete(trigger);
      zombie.resumeAgent();
      zombie.awaitReady(Box.PATIENCE);
      callers.shutdown();
      assertThat(callers.awaitTermination(2, TimeUnit.MINUTES)).isTrue();
      assertThat(acknowledged.size() + refused.size()).isEqualTo(BEFORE + CALLERS + MEANWHILE);

      assertThat(box.awaitSdm(repoId, 0, 1, odd)).isNotEqualTo(place);
      // The other hosts know the next SDM before the old one's thread has ended.
      await()
          .atMost(Box.PATIENCE)
          .until(() -> Files.readString(zombie.log()).contains("No longer SDM of " + repoId));
      acknowledged.add(Box.disk(paused, repoId, SIZE));
      LogState fresh = load();
      assertThat(fresh.repository().images().keySet())
          .containsAll(acknowledged.stream().map(CreatedImage::imageId).toList());
      for (CreatedImage image : acknowledged) {
        assertThat(image.commit()).isLessThanOrEqualTo(fresh.sequence());
        for (int host : new int[] {0, 1, odd}) {
          assertThat(box.client(host).getImage(repoId, image.imageId(), fresh.sequence()).size())
              .isEqualTo(SIZE);
        }
      }
    }
  }

  /** The name that the paused SDM is about to take, or has just taken. */
  private String nextName() throws Exception {
    long newest =
        Box.names(box.repository(repoId).resolve("log")).stream()
            .filter(name -> name.endsWith(".record"))
            .mapToLong(name -> Long.parseLong(name.substring(0, name.indexOf('.'))))
            .max()
            .orElseThrow();
    return String.format(Locale.ROOT, "%016d.record", newest + 1);
  }

  private LogState load() throws Exception {
    try (DirectorySlotStore slots =
        new DirectorySlotStore(Folder.open(box.repository(repoId)), "test-reader")) {
      return new LogReader(slots).load();
    }
  }
}
