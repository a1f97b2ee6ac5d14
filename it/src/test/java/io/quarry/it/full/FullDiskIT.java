package io.quarry.it.full;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.quarry.agent.dev.LocalClusterOptions;
import io.quarry.agent.storage.directory.Ballast;
import io.quarry.common.api.CheckOptions;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.FixRequest;
import io.quarry.common.api.RemoveImageOptions;
import io.quarry.common.api.StorageException;
import io.quarry.common.client.ClientSettings;
import io.quarry.common.client.StorageClient;
import io.quarry.it.box.Box;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A storage without a free byte can be cleaned, by itself and when a caller asks for it. */
@Timeout(300)
final class FullDiskIT {
  private static final int DISK_BYTES = 4 << 20;
  private static final int DISKS = 8;
  private static final int ROUNDS = 3;
  private static final ObjectNode DATA = JsonNodeFactory.instance.objectNode().put("a", 1);

  @TempDir static Path directory;

  private static Box box;

  private String repoId;
  private Path mount;

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
    repoId = box.newName();
    mount = Files.createDirectories(box.repository(repoId));
    Assumptions.assumeTrue(
        run("mount", "-t", "tmpfs", "-o", "size=64m", "quarry", mount.toString()),
        "mounting takes root");
    box.connect(repoId);
  }

  @AfterEach
  void unmount() throws Exception {
    run("umount", "-l", mount.toString());
  }

  @Test
  void fullStorageCanBeCleaned() throws Exception {
    StorageClient client = box.client(0);
    List<String> disks = new ArrayList<>();
    for (int i = 0; i < DISKS; i++) {
      disks.add(Box.disk(client, repoId, DISK_BYTES).imageId());
      Box.awaitOptimized(client, repoId, disks.getLast());
    }
    writeAll(mount.resolve("volumes"));
    await().atMost(Box.PATIENCE).until(() -> ballast() == Ballast.BYTES);

    fill(mount.resolve("filler1"));
    assertRefused(client);
    remove(client, disks.subList(0, 3), true);
    awaitVolumes(DISKS - 3);
    await().atMost(Box.PATIENCE).until(() -> ballast() == Ballast.BYTES);

    fill(mount.resolve("filler2"));
    assertRefused(client);
    remove(client, disks.subList(3, 6), false);
    assertThat(box.volumes(repoId)).hasSize(DISKS - 3);
    fill(mount.resolve("filler3"));
    var found = client.checkStorageRepository(repoId, CheckOptions.DEFAULT).fixes();
    assertThat(found).hasSize(3);
    found.forEach(fix -> client.fixStorageRepository(repoId, new FixRequest(fix), null));
    awaitVolumes(DISKS - 6);
    await().atMost(Box.PATIENCE).until(() -> ballast() == Ballast.BYTES);

    String last = Box.disk(client, repoId, DISK_BYTES).imageId();
    Box.awaitOptimized(client, repoId, last);
  }

  /**
   * 12.9: cleans stayed queued for minutes after the storage had been full, had failed, and was
   * freed.
   */
  @Test
  void removedImagesAreCleanedOnceTheStorageIsBack() throws Exception {
    StorageClient client = box.client(0);
    for (int round = 0; round < ROUNDS; round++) {
      List<String> images = new ArrayList<>();
      for (int i = 0; i < DISKS / 2; i++) {
        String disk = Box.disk(client, repoId, DISK_BYTES).imageId();
        Box.awaitOptimized(client, repoId, disk);
        images.add(Box.snapshot(client, repoId, disk).imageId());
        Box.awaitOptimized(client, repoId, disk);
        images.add(disk);
      }
      fill(mount.resolve("filler"));
      remove(client, images.subList(0, DISKS / 2), true);
      await().atMost(Box.PATIENCE).until(() -> run("mount", "-o", "remount,ro", mount.toString()));
      StorageException failed =
          catchThrowableOfType(
              StorageException.class,
              () -> impatient().setUserData(repoId, images.getLast(), DATA, null));
      assertThat(failed).isNotNull();
      assertThat(run("mount", "-o", "remount,rw", mount.toString())).isTrue();
      Files.delete(mount.resolve("filler"));
      remove(client, images.subList(DISKS / 2, DISKS), true);
      awaitVolumes(0);
      await()
          .atMost(Box.PATIENCE)
          .untilAsserted(() -> assertThat(client.listFixes(repoId, 0)).isEmpty());
    }
  }

  private static StorageClient impatient() {
    return new StorageClient(
        List.of(box.host(0).url()), ClientSettings.within(Duration.ofSeconds(5)));
  }

  private void assertRefused(StorageClient client) {
    StorageException refusal =
        catchThrowableOfType(StorageException.class, () -> Box.disk(client, repoId, DISK_BYTES));
    assertThat(refusal).isNotNull();
    assertThat(refusal.code()).isEqualTo(ErrorCode.NO_SPACE);
  }

  private void remove(StorageClient client, List<String> disks, boolean autoFix) {
    RemoveImageOptions options = new RemoveImageOptions(autoFix, Duration.ZERO);
    disks.forEach(disk -> client.removeImage(repoId, disk, options, null));
  }

  private void awaitVolumes(int count) {
    await().atMost(Box.PATIENCE).until(() -> box.volumes(repoId).size() == count);
  }

  /** Replaces holes by random bytes, so that a clean frees space. */
  private static void writeAll(Path volumes) throws IOException {
    Random random = new Random(1);
    byte[] noise = new byte[DISK_BYTES];
    for (String volume : Box.names(volumes)) {
      random.nextBytes(noise);
      Files.write(volumes.resolve(volume), noise);
    }
  }

  private static void fill(Path filler) throws IOException {
    byte[] piece = new byte[4_096];
    try (var out = Files.newOutputStream(filler)) {
      while (true) {
        out.write(piece);
      }
    } catch (IOException full) {
      assertThat(full).hasMessageContaining("No space left");
    }
  }

  private long ballast() throws IOException {
    Path ballast = mount.resolve("ballast");
    return Files.exists(ballast) ? Files.size(ballast) : 0;
  }

  private static boolean run(String... command) throws IOException {
    return new ProcessBuilder(List.of(command)).inheritIO().start().onExit().join().exitValue()
        == 0;
  }
}
