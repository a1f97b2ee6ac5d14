package io.quarry.it.fencing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.quarry.agent.dev.LocalClusterOptions;
import io.quarry.agent.dev.LocalHost;
import io.quarry.common.api.OpenedImage;
import io.quarry.common.api.RemoveImageOptions;
import io.quarry.common.api.TaskInfo;
import io.quarry.common.client.StorageClient;
import io.quarry.it.box.Box;
import io.quarry.it.box.Copying;
import io.quarry.it.box.FixQueries;
import io.quarry.it.box.QemuGuest;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * The worker of a merge in place falls asleep, and no proof says that the worker is dead. If
 * another host wrote to the same file, the sleeper's late writes could destroy what a guest has
 * written since. So the other host makes a new file.
 */
@Timeout(300)
final class ZombieMergeIT {
  private static final String REPOSITORY = "vms";
  private static final Duration SESSION = Duration.ofSeconds(5);
  private static final long MIB = 1L << 20;
  private static final int WINDOWS = 3;

  @Test
  void wokenMergerDoesNotTouchWhatAnotherHostPublished(@TempDir Path directory) throws Exception {
    LocalClusterOptions options =
        LocalClusterOptions.in(directory).withHosts(2).withSessionTimeout(SESSION);
    try (Box box = Box.start(options)) {
      box.connect(REPOSITORY);
      String disk = Copying.source(box.client(0), REPOSITORY, WINDOWS, 40 * MIB);
      String snapshot = Box.snapshot(box.client(0), REPOSITORY, disk).imageId();
      QemuGuest.use(box.client(0), REPOSITORY, disk, writes(70));
      Path below = Path.of(QemuGuest.look(box.client(0), REPOSITORY, snapshot).path());
      Path expected =
          QemuGuest.export(box.client(0), REPOSITORY, disk, directory.resolve("expected"));
      box.client(0).setThrottle(6 * MIB);
      box.client(1).setThrottle(6 * MIB);
      box.client(0).removeImage(REPOSITORY, snapshot, RemoveImageOptions.DEFAULT, null);

      Copying merge = new Copying(box, REPOSITORY, disk);
      TaskInfo task = merge.until(now -> Copying.checkpoint(now) >= Copying.WINDOW_BYTES);
      assertThat(task.fixId()).startsWith("merge-");
      LocalHost zombie = box.host(task.hostId());
      StorageClient client = box.client(zombie == box.host(0) ? 1 : 0);
      zombie.pauseAgent();
      client.setThrottle(0);
      await()
          .atMost(Box.PATIENCE)
          .until(() -> client.getImage(REPOSITORY, disk, 0).parentImageId() == null);

      OpenedImage published = QemuGuest.look(client, REPOSITORY, disk);
      assertThat(Path.of(published.path())).isNotEqualTo(below);
      QemuGuest.assertContent(published, expected);
      QemuGuest.use(client, REPOSITORY, disk, writes(90));
      String sha256 = QemuGuest.sha256(Path.of(published.path()));

      zombie.resumeAgent();
      zombie.awaitReady(Box.PATIENCE);
      await()
          .atMost(Box.PATIENCE)
          .until(() -> Files.readString(zombie.log()).contains(task.fixId() + " epoch 1"));
      assertThat(QemuGuest.sha256(Path.of(published.path()))).isEqualTo(sha256);
      assertThat(QemuGuest.look(client, REPOSITORY, disk).path()).isEqualTo(published.path());
      FixQueries.runAll(client, REPOSITORY);
      assertThat(box.volumes(REPOSITORY)).hasSize(1);
      assertThat(box.repository(REPOSITORY).resolve("fixes")).isEmptyDirectory();
    }
  }

  private static String[] writes(int pattern) {
    List<String> writes = new ArrayList<>();
    for (int window = 0; window < WINDOWS; window++) {
      writes.add(
          "write -P %d %d %d"
              .formatted(pattern + window, window * Copying.WINDOW_BYTES + 4 * MIB, 10 * MIB));
    }
    writes.add("flush");
    return writes.toArray(String[]::new);
  }
}
