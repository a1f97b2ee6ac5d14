package io.quarry.it.mount;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.quarry.agent.dev.LocalClusterOptions;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.RepositoryInfo;
import io.quarry.common.api.StorageException;
import io.quarry.common.client.StorageClient;
import io.quarry.it.box.Box;
import io.quarry.it.box.QemuGuest;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Case 12.3: a storage that is mounted over, unmounted or moved away under a running agent. Health
 * was ok, with the size and the free bytes of the root filesystem.
 */
@Timeout(300)
final class MovedStorageIT {
  private static final String MAIN = "main";
  private static final long MIB = 1L << 20;
  private static final long CAPACITY = 64 * MIB;

  @TempDir private Path directory;

  @Test
  void mountedOverAndUnmounted() throws Exception {
    Path root = Files.createDirectories(directory.resolve("storage").resolve(MAIN));
    mount(root, "64m");
    try (Box box = Box.start(LocalClusterOptions.in(directory))) {
      box.connect(MAIN);
      StorageClient client = box.client(0);
      Box.awaitOptimized(client, MAIN, Box.disk(client, MAIN, MIB).imageId());
      assertThat(client.getStorageRepository(MAIN).capacityBytes()).isEqualTo(CAPACITY);
      assertThat(health(box).statusCode()).isEqualTo(200);

      mount(root, "16m");
      isElsewhere(box);
      assertThat(Box.names(root)).isEmpty();
      unmount(root);
      isBack(box);

      QemuGuest.run(List.of("umount", "-l", root.toString()));
      isElsewhere(box);
      assertThat(Box.names(root)).isEmpty();
    } finally {
      var _ = new ProcessBuilder("umount", "-l", root.toString()).start().waitFor();
    }
  }

  @Test
  void movedAway() throws Exception {
    try (Box box = Box.start(LocalClusterOptions.in(directory))) {
      box.connect(MAIN);
      Path away = directory.resolve("away");
      Files.move(box.repository(MAIN), away, StandardCopyOption.ATOMIC_MOVE);
      assertThat(isElsewhere(box).healthReason()).contains("unmounted, moved or mounted over");
      Files.createDirectories(box.repository(MAIN));
      assertThat(isElsewhere(box).healthReason()).contains("unmounted, moved or mounted over");
      Files.delete(box.repository(MAIN));
      Files.move(away, box.repository(MAIN), StandardCopyOption.ATOMIC_MOVE);
      isBack(box);
    }
  }

  private static RepositoryInfo isElsewhere(Box box) throws Exception {
    StorageClient client = box.client(0);
    long capacity = client.getStorageRepository(MAIN).capacityBytes();
    RepositoryInfo found =
        await()
            .atMost(Box.PATIENCE)
            .until(
                () -> client.getStorageRepository(MAIN),
                info -> info.health().equals("otherStorage"));
    assertThat(found.capacityBytes()).isEqualTo(capacity);
    await().atMost(Box.PATIENCE).until(() -> health(box).statusCode() == 503);
    // Either the key at the path or the canary tells first.
    assertThat(health(box).body())
        .contains("repository main: ")
        .containsAnyOf("leads to no repository", "leads to another directory than before");
    StorageException refusal =
        catchThrowableOfType(StorageException.class, () -> Box.disk(client, MAIN, MIB));
    assertThat(refusal.code()).isEqualTo(ErrorCode.STORAGE_MISMATCH);
    return found;
  }

  private static void isBack(Box box) {
    StorageClient client = box.client(0);
    await()
        .atMost(Box.PATIENCE)
        .until(() -> client.getStorageRepository(MAIN).health().equals("ok"));
    await().atMost(Box.PATIENCE).until(() -> health(box).statusCode() == 200);
    Box.awaitOptimized(client, MAIN, Box.disk(client, MAIN, MIB).imageId());
  }

  private static HttpResponse<String> health(Box box) throws Exception {
    return HttpClient.newHttpClient()
        .send(
            HttpRequest.newBuilder(box.host(0).url().resolve("/health")).build(),
            BodyHandlers.ofString());
  }

  private static void mount(Path root, String size) throws Exception {
    assumeTrue("root".equals(System.getProperty("user.name")), "mounting takes root");
    QemuGuest.run(List.of("mount", "-t", "tmpfs", "-o", "size=" + size, "quarry", root.toString()));
  }

  /** Calls that looked at the path a moment ago may still have it open. */
  private static void unmount(Path root) {
    ProcessBuilder unmount = new ProcessBuilder("umount", root.toString());
    await().atMost(Box.PATIENCE).until(() -> unmount.start().waitFor() == 0);
  }
}
