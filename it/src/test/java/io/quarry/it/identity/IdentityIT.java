package io.quarry.it.identity;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.awaitility.Awaitility.await;

import io.quarry.agent.dev.LocalClusterOptions;
import io.quarry.common.api.ConnectRequest;
import io.quarry.common.api.ConnectRequest.Adopt;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.Json;
import io.quarry.common.api.RepositoryInfo;
import io.quarry.common.api.StorageException;
import io.quarry.common.client.StorageClient;
import io.quarry.it.box.Box;
import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Cases 12.1, 12.2 and 12.5: which storage a path leads to. */
@Timeout(300)
final class IdentityIT {
  private static final long MIB = 1L << 20;

  /** A canary is written every 5 s and may be seen 3 s late. */
  private static final Duration SEEN = Duration.ofSeconds(30);

  @TempDir static Path directory;

  private static Box box;

  private String repoId;
  private Path aside;

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
  void nameRepository() throws Exception {
    repoId = box.newName();
    aside = Files.createDirectory(directory.resolve("aside-of-" + repoId));
  }

  @Test
  void copyOfARepositoryIsRefusedUntilItIsAdopted() throws Exception {
    box.connect(repoId, 0);
    assertThat(box.awaitSdm(repoId, 0)).isEqualTo(box.host(0).hostId());
    StorageClient client = box.client(0);
    String disk = Box.disk(client, repoId, MIB).imageId();
    Box.awaitOptimized(client, repoId, disk);
    Path copy = aside.resolve("copy");
    copy(box.repository(repoId), copy);

    // The original continues: the copy lacks a commit, and soon a beat.
    Box.awaitOptimized(client, repoId, Box.disk(client, repoId, MIB).imageId());
    String canary = canary(copy);
    await().atMost(SEEN).until(() -> !canary.equals(canary(box.repository(repoId))));
    refused(ErrorCode.STORAGE_MISMATCH, () -> connect(1, repoId, copy, null));
    refused(ErrorCode.STORAGE_MISMATCH, () -> connect(1, "other", copy, null));
    assertThat(box.client(1).listStorageRepositories())
        .extracting(RepositoryInfo::repoId)
        .doesNotContain(repoId, "other");

    // The original itself is no copy.
    refused(
        ErrorCode.REPOSITORY_IN_USE,
        () -> connect(1, "mistake", box.repository(repoId), Adopt.COPY));

    connect(1, "other", copy, Adopt.COPY);
    box.awaitSdm("other", 1);
    assertThat(box.client(1).getImage("other", disk, 0).size()).isEqualTo(MIB);
    Box.awaitOptimized(box.client(1), "other", Box.disk(box.client(1), "other", MIB).imageId());
    box.connect(repoId, 1);
    assertThat(box.client(1).getImage(repoId, disk, 0).size()).isEqualTo(MIB);
  }

  /** A follower's mount leads to a copy while the follower runs. */
  @Test
  void copyThatTakesThePlaceOfAMountIsFoundAndNotLed() throws Exception {
    box.connect(repoId, 0);
    assertThat(box.awaitSdm(repoId, 0)).isEqualTo(box.host(0).hostId());
    StorageClient client = box.client(0);
    Path way = aside.resolve("way");
    Files.createSymbolicLink(way, box.repository(repoId));
    box.connect(repoId, 1, way);
    box.awaitSdm(repoId, 0, 1);
    box.host(1).shutDown();
    Path copy = aside.resolve("copy");
    copy(box.repository(repoId), copy);
    Files.delete(way);
    Files.createSymbolicLink(way, copy);
    box.host(1).start();
    box.host(1).awaitReady(Box.PATIENCE);

    Box.awaitOptimized(client, repoId, Box.disk(client, repoId, MIB).imageId());
    // The agent may have connected the copy before any sign distinguished the two.
    await()
        .atMost(SEEN)
        .untilAsserted(() ->
            refused(
                ErrorCode.STORAGE_MISMATCH,
                () -> {
                  connect(1, repoId, way, /* adopt= */ null);
                  box.client(1).getImage(repoId, "any", 0);
                }));
    box.host(0).killHost();
    refused(
        ErrorCode.STORAGE_MISMATCH,
        () -> {
          connect(1, repoId, way, /* adopt= */ null);
          box.client(1).getImage(repoId, "any", 0);
        });
    box.host(0).start();
    box.host(0).awaitReady(Box.PATIENCE);
  }

  @Test
  void storageThatIsBehindWhatTheHostHasSeenIsRefusedUntilItIsRestored() throws Exception {
    StorageClient client = box.client(0);
    box.connect(repoId, 0);
    Box.awaitOptimized(client, repoId, Box.disk(client, repoId, MIB).imageId());
    Path backup = aside.resolve("backup");
    copy(box.repository(repoId), backup);
    String lost = Box.disk(client, repoId, MIB).imageId();
    Box.awaitOptimized(client, repoId, lost);
    Path seen = noteOf(box.repository(repoId));
    await().atMost(SEEN).until(() -> noted(seen) >= client.getImage(repoId, lost, 0).commit());
    box.host(0).shutDown();
    Files.move(box.repository(repoId), aside.resolve("newer"), StandardCopyOption.ATOMIC_MOVE);
    copy(backup, box.repository(repoId));
    box.host(0).start();
    box.host(0).awaitReady(Box.PATIENCE);

    // The agent knows the connection, and refuses the storage that it finds.
    StorageException refused =
        refused(ErrorCode.STORAGE_MISMATCH, () -> connect(0, repoId, box.repository(repoId), null));
    assertThat(refused.getMessage()).contains("this host has seen commit");
    assertThat(refused.remedy()).contains("--restored");
    connect(0, repoId, box.repository(repoId), Adopt.RESTORED);
    box.awaitSdm(repoId, 0);
    try (StorageClient fresh = new StorageClient(List.of(box.host(0).url()))) {
      refused(ErrorCode.IMAGE_NOT_FOUND, () -> fresh.getImage(repoId, lost, 0));
      Box.awaitOptimized(fresh, repoId, Box.disk(fresh, repoId, MIB).imageId());
    }
  }

  @Test
  void connectionsOutliveTheAgentAndNamesKeepTheirStorage() throws Exception {
    StorageClient client = box.client(0);
    box.connect(repoId, 0);
    String disk = Box.disk(client, repoId, MIB).imageId();
    Box.awaitOptimized(client, repoId, disk);
    Path passing = Files.createDirectories(aside.resolve("passing"));
    client.createStorageRepository(
        new ConnectRequest(
            "passing", "localfs-1.0", Map.of("path", passing.toString()), null, false));
    assertThat(client.getStorageRepository("passing").connection()).isEqualTo("transient");
    box.host(0).shutDown();

    // The storage is not mounted: the empty directory in its place stays empty.
    Path mounted = aside.resolve("mounted-later");
    Files.move(box.repository(repoId), mounted, StandardCopyOption.ATOMIC_MOVE);
    Files.createDirectories(box.repository(repoId));
    box.host(0).start();
    box.host(0).awaitReady(Box.PATIENCE);
    refused(
        ErrorCode.REPOSITORY_UNUSABLE,
        () -> client.createStorageRepository(Box.at(repoId, box.repository(repoId))));
    assertThat(Box.names(box.repository(repoId))).isEmpty();
    refused(ErrorCode.REPOSITORY_NOT_CONNECTED, () -> client.getStorageRepository("passing"));

    // Another repository does not take over the name, neither here nor on another host.
    Path another = Files.createDirectories(aside.resolve("another"));
    box.client(1).createStorageRepository(Box.at("another", another));
    box.client(1).disconnectStorageRepository("another");
    refused(ErrorCode.REPOSITORY_ID_TAKEN, () -> connect(0, repoId, another, null));

    Files.delete(box.repository(repoId));
    Files.move(mounted, box.repository(repoId), StandardCopyOption.ATOMIC_MOVE);
    RepositoryInfo back =
        await()
            .atMost(SEEN)
            .ignoreExceptions()
            .until(() -> client.getStorageRepository(repoId), info -> info.health().equals("ok"));
    assertThat(back.connection()).isEqualTo("persistent");
    assertThat(client.getImage(repoId, disk, 0).size()).isEqualTo(MIB);
    await()
        .atMost(SEEN)
        .untilAsserted(
            () -> refused(ErrorCode.REPOSITORY_ID_TAKEN, () -> connect(1, repoId, another, null)));

    client.disconnectStorageRepository(repoId);
    connect(0, repoId, another, null);
  }

  private static void connect(int host, String repoId, Path path, @Nullable Adopt adopt) {
    box.client(host)
        .connectStorageRepository(
            new ConnectRequest(
                repoId, "localfs-1.0", Map.of("path", path.toString()), adopt, true));
  }

  private interface Call {
    void run() throws Exception;
  }

  private static StorageException refused(ErrorCode code, Call call) {
    StorageException refusal = catchThrowableOfType(StorageException.class, call::run);
    assertThat(refusal).as("no refusal with %s", code).isNotNull();
    assertThat(refusal.code()).as("%s", refusal.getMessage()).isEqualTo(code);
    return refusal;
  }

  /** The canaries that SDMs have written last. */
  private static String canary(Path root) throws IOException {
    StringBuilder all = new StringBuilder();
    for (String name : Box.names(root)) {
      if (name.startsWith("canary.")) {
        all.append(Files.readString(root.resolve(name)).strip());
      }
    }
    return all.toString();
  }

  /** The file in which the first host notes what it has seen of the repository. */
  private static Path noteOf(Path root) throws IOException {
    String key =
        Json.MAPPER
            .readTree(Files.readAllBytes(root.resolve("repository.json")))
            .path("key")
            .asText();
    return box.host(0).stateDirectory().resolve("seen").resolve(key + ".json");
  }

  /** The newest commit that the host has noted. */
  private static long noted(Path note) throws IOException {
    return Files.exists(note)
        ? Json.MAPPER.readTree(Files.readAllBytes(note)).path("sequence").asLong()
        : 0;
  }

  /** Copies like {@code cp -a}, while other processes write. */
  private static void copy(Path from, Path to) throws IOException {
    Files.walkFileTree(
        from,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult preVisitDirectory(Path dir, BasicFileAttributes attributes)
              throws IOException {
            Files.createDirectories(to.resolve(from.relativize(dir).toString()));
            return FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
              throws IOException {
            Path name = from.relativize(file);
            if (!name.startsWith("tmp")) {
              Files.copy(file, to.resolve(name.toString()));
            }
            return FileVisitResult.CONTINUE;
          }
        });
  }
}
