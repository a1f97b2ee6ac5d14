package io.quarry.it.mount;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.awaitility.Awaitility.await;

import io.quarry.agent.dev.LocalClusterOptions;
import io.quarry.agent.dev.NewRepository;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.ImageQuery;
import io.quarry.common.api.StorageException;
import io.quarry.common.client.ClientSettings;
import io.quarry.common.client.StorageClient;
import io.quarry.it.box.Box;
import io.quarry.it.box.QemuGuest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * An agent whose configuration names a storage that is not mounted yet. If agents connected only at
 * their start, the storage would never be connected.
 */
@Timeout(300)
final class LateMountIT {
  private static final String EMPTY = "empty";
  private static final String LATE = "late";
  private static final String READY = "ready";
  private static final long MIB = 1L << 20;

  /** An agent looks every 5 seconds; a busy machine may be slow to connect. */
  private static final Duration SECONDS = Duration.ofSeconds(20);

  @TempDir static Path directory;

  private static Box box;

  @BeforeAll
  static void start() throws Exception {
    Path storage = directory.toAbsolutePath().resolve("storage");
    box =
        Box.start(
            LocalClusterOptions.in(directory)
                .withAgentConfig(
                    Map.of(
                        "repositories",
                        List.of(
                            NewRepository.entry(EMPTY, storage.resolve(EMPTY)),
                            NewRepository.entry(LATE, storage.resolve(LATE))))));
  }

  @AfterAll
  static void stop() {
    if (box != null) {
      box.close();
    }
  }

  @Test
  void emptyDirectoryThatComesLateIsNotMadeIntoARepository() throws Exception {
    assertNotConnectedYet(EMPTY);

    Files.createDirectories(box.repository(EMPTY));
    String notMounted = box.repository(EMPTY) + " is not a repository";
    await().atMost(SECONDS).until(() -> logged(notMounted) > 0);
    assertNotConnectedYet(EMPTY);
    assertThat(Box.names(box.repository(EMPTY))).isEmpty();
  }

  @Test
  void repositoryThatIsMountedLateIsConnected() throws Exception {
    StorageClient client = box.client(0);
    assertNotConnectedYet(LATE);
    box.connect(READY);
    String disk = Box.disk(client, READY, MIB).imageId();
    Box.awaitOptimized(client, READY, disk);
    QemuGuest.use(client, READY, disk, "write -P 7 0 64k");
    client.disconnectStorageRepository(READY);

    String noDirectory = "there is no directory " + box.repository(LATE);
    String notMounted = box.repository(LATE) + " is not a repository";
    assertThat(logged(noDirectory)).isOne();
    Files.createDirectories(box.repository(LATE));
    await().atMost(SECONDS).until(() -> logged(notMounted) > 0);
    assertNotConnectedYet(LATE);
    assertThat(logged(noDirectory)).isOne();

    Files.move(box.repository(READY), box.repository(LATE), StandardCopyOption.ATOMIC_MOVE);
    assertConnectedWithoutRestart();
    assertThat(logged(notMounted)).isOne();
    assertThat(client.getImage(LATE, disk, 0).size()).isEqualTo(MIB);
    QemuGuest.use(client, LATE, disk, "read -P 7 0 64k");
  }

  /**
   * The repository is known here, so a caller does well to try again. A busy machine may exceed the
   * deadline of an impatient client.
   */
  private static void assertNotConnectedYet(String repoId) {
    ClientSettings impatience = ClientSettings.within(Duration.ofSeconds(1));
    try (StorageClient impatient = new StorageClient(List.of(box.host(0).url()), impatience)) {
      await()
          .atMost(SECONDS)
          .untilAsserted(
              () -> assertUnresponsive(repoId, () -> impatient.listImages(repoId, ImageQuery.ALL)));
      await()
          .atMost(SECONDS)
          .untilAsserted(() -> assertUnresponsive(repoId, () -> Box.disk(impatient, repoId, MIB)));
    }
  }

  private static void assertUnresponsive(String repoId, ThrowingCallable call) {
    StorageException refusal = catchThrowableOfType(StorageException.class, call);
    assertThat(refusal).isNotNull();
    assertThat(refusal.code()).isEqualTo(ErrorCode.REPOSITORY_UNRESPONSIVE);
    assertThat(refusal.code().retryable()).isTrue();
    assertThat(refusal.subject()).isEqualTo(repoId);
  }

  private static void assertConnectedWithoutRestart() throws IOException {
    OptionalLong pid = box.host(0).agentPid();
    await()
        .atMost(SECONDS)
        .until(() ->
            box.client(0).listStorageRepositories().stream()
                .anyMatch(repository -> repository.repoId().equals(LATE)));
    assertThat(box.client(0).getStorageRepository(LATE).health()).isEqualTo("ok");
    assertThat(box.host(0).agentPid()).isEqualTo(pid);
  }

  private static long logged(String text) throws IOException {
    try (var lines = Files.lines(box.host(0).log())) {
      return lines.filter(line -> line.contains(text)).count();
    }
  }
}
