package io.quarry.it.full;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.quarry.agent.dev.LocalClusterOptions;
import io.quarry.agent.storage.directory.Ballast;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.OpenRequest;
import io.quarry.common.api.OpenedImage;
import io.quarry.common.api.RemoveImageOptions;
import io.quarry.common.api.StorageException;
import io.quarry.common.client.StorageClient;
import io.quarry.common.model.Limits;
import io.quarry.it.box.Box;
import io.quarry.it.box.QemuGuest;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Case 12.8: the power is back, and the storage has neither a free byte nor a free inode. */
@Timeout(300)
final class FullRestartIT {
  private static final String MAIN = "main";
  private static final long MIB = 1L << 20;
  private static final long STORAGE_BYTES = 64 * MIB;
  private static final int INODES = 600;

  @TempDir private Path directory;

  @Test
  void machinesStartOnAFullStorage() throws Exception {
    Path root = Files.createDirectories(directory.resolve("storage").resolve(MAIN));
    mount(root);
    try (Box box = Box.start(LocalClusterOptions.in(directory).withHosts(1))) {
      box.connect(MAIN);
      StorageClient client = box.client(0);
      String disk = Box.disk(client, MAIN, MIB).imageId();
      String other = Box.disk(client, MAIN, MIB).imageId();
      Box.awaitOptimized(client, MAIN, disk);
      Box.awaitOptimized(client, MAIN, other);
      tooLargeImagesAreRefused(client);
      Path reserve = root.resolve("reserve");
      await().atMost(Box.PATIENCE).until(() -> Box.names(reserve).size() == Ballast.FILES);

      Path fillers = Files.createDirectory(root.resolve("fillers"));
      fill(fillers);
      box.host(0).killHost();
      fill(fillers);
      box.host(0).start();
      box.host(0).awaitReady(Box.PATIENCE);
      assertThat(client.getStorageRepository(MAIN).health()).isEqualTo("ok");
      fill(fillers);

      OpenedImage opened = client.openImage(MAIN, disk, new OpenRequest(false, "vm"), null);
      assertThat(Path.of(opened.path())).exists();
      // Other processes may use the space that the open has freed from the reserve.
      fill(fillers);
      StorageException refusal =
          catchThrowableOfType(StorageException.class, () -> Box.disk(client, MAIN, MIB));
      assertThat(refusal.code()).isEqualTo(ErrorCode.NO_SPACE);
      client.closeImage(MAIN, disk, opened.openId(), null);
      client.removeImage(MAIN, other, new RemoveImageOptions(true, Duration.ZERO), null);
      await().atMost(Box.PATIENCE).until(() -> box.volumes(MAIN).size() == 1);

      for (String file : Box.names(fillers)) {
        Files.delete(fillers.resolve(file));
      }
      Box.awaitOptimized(client, MAIN, Box.disk(client, MAIN, MIB).imageId());
      await().atMost(Box.PATIENCE).until(() -> Box.names(reserve).size() == Ballast.FILES);
    } finally {
      var _ = new ProcessBuilder("umount", "-l", root.toString()).start().waitFor();
    }
  }

  /** Case 12.7: the call is refused before any commit. */
  private static void tooLargeImagesAreRefused(StorageClient client) {
    var before = client.getStorageRepository(MAIN);
    assertThat(before.largestImageBytes()).isBetween(3L << 40, 4L << 40);
    StorageException refusal =
        catchThrowableOfType(
            StorageException.class, () -> Box.disk(client, MAIN, Limits.IMAGE_BYTES_MAX));
    assertThat(refusal.code()).isEqualTo(ErrorCode.IMAGE_TOO_LARGE);
    assertThat(client.getStorageRepository(MAIN).images()).isEqualTo(before.images());
    assertThat(client.getStorageRepository(MAIN).fixes()).isZero();
  }

  private static void mount(Path root) throws Exception {
    assumeTrue("root".equals(System.getProperty("user.name")), "mounting takes root");
    Path image = root.resolveSibling("image");
    try (RandomAccessFile file = new RandomAccessFile(image.toFile(), "rw")) {
      file.setLength(STORAGE_BYTES);
    }
    QemuGuest.run(
        List.of(
            "mkfs.ext4",
            "-q",
            "-F",
            "-b",
            "1024",
            "-N",
            Integer.toString(INODES),
            image.toString()));
    QemuGuest.run(List.of("mount", "-o", "loop", image.toString(), root.toString()));
  }

  /** Fills the storage to the last byte, then to the last inode. */
  private static void fill(Path fillers) throws IOException {
    byte[] piece = new byte[512];
    try (var out = Files.newOutputStream(fillers.resolve("bytes." + System.nanoTime()))) {
      while (true) {
        out.write(piece);
      }
    } catch (IOException full) {
      assertThat(full).hasMessageContaining("No space left");
    }
    try {
      while (true) {
        Files.createFile(fillers.resolve("file." + System.nanoTime()));
      }
    } catch (IOException full) {
      assertThat(full).hasMessageContaining("No space left");
    }
  }
}
