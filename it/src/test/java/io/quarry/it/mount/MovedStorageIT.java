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
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Case 12.3: a storage that is mounted over, unmounted or moved away under a running agent. Health
 * was ok, with the size and the free bytes of the root filesystem.
 */
@Timeout(300)
final class MovedStorageIT {
  private static final long MIB = 1L << 20;
  private static final long CAPACITY = 64 * MIB;

  @TempDir static Path directory;

  private static Box box;

  private String repoId;

  @BeforeAll
  static void start() throws Exception {
    box = Box.start(LocalClusterOptions.in(directory));
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

  @Test
  void mountedOverAndUnmounted() throws Exception {
    Path root = Files.createDirectories(box.repository(repoId));
    mount(root, "64m");
    try {
      box.connect(repoId);
      StorageClient client = box.client(0);
      Box.awaitOptimized(client, repoId, Box.disk(client, repoId, MIB).imageId());
      assertThat(client.getStorageRepository(repoId).capacityBytes()).isEqualTo(CAPACITY);
      assertThat(health().statusCode()).isEqualTo(200);

      mount(root, "16m");
      isElsewhere();
      assertThat(Box.names(root)).isEmpty();
      unmount(root);
      isBack();

      QemuGuest.run(List.of("umount", "-l", root.toString()));
      isElsewhere();
      assertThat(Box.names(root)).isEmpty();
      client.disconnectStorageRepository(repoId);
    } finally {
      var _ = new ProcessBuilder("umount", "-l", root.toString()).start().waitFor();
    }
  }

  @Test
  void movedAway() throws Exception {
    box.connect(repoId);
    Path away = directory.resolve("away");
    Files.move(box.repository(repoId), away, StandardCopyOption.ATOMIC_MOVE);
    assertThat(isElsewhere().healthReason()).contains("unmounted, moved, mounted over");
    Files.createDirectories(box.repository(repoId));
    assertThat(isElsewhere().healthReason()).contains("unmounted, moved, mounted over");
    Files.delete(box.repository(repoId));
    Files.move(away, box.repository(repoId), StandardCopyOption.ATOMIC_MOVE);
    isBack();
  }

  private RepositoryInfo isElsewhere() throws Exception {
    StorageClient client = box.client(0);
    long capacity = client.getStorageRepository(repoId).capacityBytes();
    RepositoryInfo found =
        await()
            .atMost(Box.PATIENCE)
            .until(
                () -> client.getStorageRepository(repoId),
                info -> info.health().equals("otherStorage"));
    assertThat(found.capacityBytes()).isEqualTo(capacity);
    await().atMost(Box.PATIENCE).until(() -> health().statusCode() == 503);
    // Either the key at the path or the canary tells first.
    assertThat(health().body())
        .contains("repository " + repoId + ": ")
        .containsAnyOf("leads to no repository", "leads to another directory than before");
    StorageException refusal =
        catchThrowableOfType(StorageException.class, () -> Box.disk(client, repoId, MIB));
    assertThat(refusal.code()).isEqualTo(ErrorCode.STORAGE_MISMATCH);
    return found;
  }

  private void isBack() {
    StorageClient client = box.client(0);
    await()
        .atMost(Box.PATIENCE)
        .until(() -> client.getStorageRepository(repoId).health().equals("ok"));
    await().atMost(Box.PATIENCE).until(() -> health().statusCode() == 200);
    Box.awaitOptimized(client, repoId, Box.disk(client, repoId, MIB).imageId());
  }

  private static HttpResponse<String> health() throws Exception {
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
