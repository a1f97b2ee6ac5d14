package io.quarry.it.failover;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.quarry.agent.dev.LocalClusterOptions;
import io.quarry.agent.dev.LocalHost;
import io.quarry.common.api.CopyImageRequest;
import io.quarry.common.api.ImageOptions;
import io.quarry.common.client.StorageClient;
import io.quarry.it.box.Box;
import io.quarry.it.box.FixQueries;
import io.quarry.it.box.Pausing;
import io.quarry.it.box.QemuGuest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A host stops after it has pinned a disk's content in the source's log, and before it has
 * committed the copy in the target's. The caller gets the copy from another host, once, whether the
 * first host wakes up or dies. A host that wakes up releases its pin. A pin that it cannot release,
 * and that of a dead host, is removed later.
 */
@Timeout(180)
final class PinnedCopyIT {
  private static final Duration SESSION = Duration.ofSeconds(5);
  private static final long MIB = 1L << 20;

  @TempDir static Path directory;

  private static Box box;
  private static Path armed;

  @BeforeAll
  static void start() throws Exception {
    LocalClusterOptions options = LocalClusterOptions.in(directory).withSessionTimeout(SESSION);
    armed = directory.resolve("armed");
    box = Box.start(options);
    box.addOdd(
        "odd", options, "-Dquarry.fault.stopAt=copy.pinned", "-Dquarry.fault.armedBy=" + armed);
  }

  @AfterAll
  static void stop() {
    if (box != null) {
      box.close();
    }
  }

  /** An agent stops once in its life, so the host is killed first and wakes up later. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void anotherHostMakesTheCopyOnce(boolean wakes) throws Exception {
    String source = box.newRepository();
    String target = box.newRepository();
    StorageClient client = box.client(0);
    LocalHost odd = box.host("odd");
    String disk = Box.disk(client, source, 8 * MIB).imageId();
    Box.awaitOptimized(client, source, disk);
    QemuGuest.use(client, source, disk, "write -P 1 1M 4M");

    Files.createFile(armed);
    var _ =
        CompletableFuture.supplyAsync(
            () -> box.client("odd").copyImage(target, copyOf(disk), "once"));
    await().atMost(Box.PATIENCE).until(() -> Pausing.stopped(odd));
    String copy = client.copyImage(target, copyOf(disk), "once").imageId();
    Box.awaitOptimized(client, target, copy);
    QemuGuest.use(client, source, disk, "write -P 2 1M 1M");

    Files.delete(armed);
    if (wakes) {
      odd.resumeAgent();
    } else {
      odd.killAgent();
    }
    odd.awaitReady(Box.PATIENCE);
    box.connect(source, 1);
    box.connect(target, 1);
    awaitOneVolume(target);
    if (wakes) {
      // A host that has just woken up may take the storage for dead. Its pin then stays for
      // minutes.
      await().atMost(Box.PATIENCE).until(() -> keepsPin(odd) || box.volumes(source).size() == 1);
      if (!keepsPin(odd)) {
        awaitOneVolume(source);
      }
    }
    QemuGuest.use(client, target, copy, "read -P 0 0 1M", "read -P 1 1M 4M", "read -P 0 5M 3M");
    QemuGuest.use(client, source, disk, "read -P 2 1M 1M", "read -P 1 2M 3M");
  }

  private static void awaitOneVolume(String repository) {
    await()
        .atMost(Box.PATIENCE)
        .untilAsserted(() -> {
          assertThat(box.volumes(repository)).as("volumes of %s", repository).hasSize(1);
          // The clean removes the file before it commits that.
          assertThat(FixQueries.found(box.client("odd"), repository)).isEmpty();
        });
  }

  private static boolean keepsPin(LocalHost host) throws IOException {
    return Files.readString(host.log()).contains("stays for now");
  }

  private static CopyImageRequest copyOf(String disk) {
    return new CopyImageRequest(
        disk, null, JsonNodeFactory.instance.objectNode(), ImageOptions.DEFAULT);
  }
}
