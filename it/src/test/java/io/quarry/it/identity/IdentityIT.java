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
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Cases 12.1, 12.2 and 12.5: which storage a path leads to. */
@Timeout(300)
final class IdentityIT {
  private static final String MAIN = "main";
  private static final long MIB = 1L << 20;

  /** A canary is written every 5 s and may be seen 3 s late. */
  private static final Duration SEEN = Duration.ofSeconds(30);

  @Test
  void copyOfARepositoryIsRefusedUntilItIsAdopted(@TempDir Path directory) throws Exception {
    try (Box box = Box.start(LocalClusterOptions.in(directory).withHosts(2))) {
      box.connect(MAIN, 0);
      assertThat(box.awaitSdm(MAIN, 0)).isEqualTo(box.host(0).hostId());
      StorageClient client = box.client(0);
      String disk = Box.disk(client, MAIN, MIB).imageId();
      Box.awaitOptimized(client, MAIN, disk);
      Path copy = directory.resolve("copy");
      copy(box.repository(MAIN), copy);

      // The original continues: the copy lacks a commit, and soon a beat.
      Box.awaitOptimized(client, MAIN, Box.disk(client, MAIN, MIB).imageId());
      String canary = canary(copy);
      await().atMost(SEEN).until(() -> !canary.equals(canary(box.repository(MAIN))));
      refused(ErrorCode.STORAGE_MISMATCH, () -> connect(box, 1, MAIN, copy, null));
      refused(ErrorCode.STORAGE_MISMATCH, () -> connect(box, 1, "other", copy, null));
      assertThat(box.client(1).listStorageRepositories()).isEmpty();

      // The original itself is no copy.
      refused(
          ErrorCode.REPOSITORY_IN_USE,
          () -> connect(box, 1, "mistake", box.repository(MAIN), Adopt.COPY));

      connect(box, 1, "other", copy, Adopt.COPY);
      box.awaitSdm("other", 1);
      assertThat(box.client(1).getImage("other", disk, 0).size()).isEqualTo(MIB);
      Box.awaitOptimized(box.client(1), "other", Box.disk(box.client(1), "other", MIB).imageId());
      box.connect(MAIN, 1);
      assertThat(box.client(1).getImage(MAIN, disk, 0).size()).isEqualTo(MIB);
    }
  }

  /** A follower's mount leads to a copy while the follower runs. */
  @Test
  void copyThatTakesThePlaceOfAMountIsFoundAndNotLed(@TempDir Path directory) throws Exception {
    try (Box box = Box.start(LocalClusterOptions.in(directory).withHosts(2))) {
      box.connect(MAIN, 0);
      assertThat(box.awaitSdm(MAIN, 0)).isEqualTo(box.host(0).hostId());
      StorageClient client = box.client(0);
      Path way = directory.resolve("way");
      Files.createSymbolicLink(way, box.repository(MAIN));
      box.connect(MAIN, 1, way);
      box.awaitSdm(MAIN, 0, 1);
      box.host(1).shutDown();
      Path copy = directory.resolve("copy");
      copy(box.repository(MAIN), copy);
      Files.delete(way);
      Files.createSymbolicLink(way, copy);
      box.host(1).start();
      box.host(1).awaitReady(Box.PATIENCE);

      Box.awaitOptimized(client, MAIN, Box.disk(client, MAIN, MIB).imageId());
      // The agent may have connected the copy before any sign distinguished the two.
      await()
          .atMost(SEEN)
          .untilAsserted(() ->
              refused(
                  ErrorCode.STORAGE_MISMATCH,
                  () -> {
                    connect(box, 1, MAIN, way, /* adopt= */ null);
                    box.client(1).getImage(MAIN, "any", 0);
                  }));
      box.host(0).killHost();
      refused(
          ErrorCode.STORAGE_MISMATCH,
          () -> {
            connect(box, 1, MAIN, way, /* adopt= */ null);
            box.client(1).getImage(MAIN, "any", 0);
          });
    }
  }

  @Test
  void storageThatIsBehindWhatTheHostHasSeenIsRefusedUntilItIsRestored(@TempDir Path directory)
      throws Exception {
    try (Box box = Box.start(LocalClusterOptions.in(directory).withHosts(1))) {
      StorageClient client = box.client(0);
      box.connect(MAIN, 0);
      Box.awaitOptimized(client, MAIN, Box.disk(client, MAIN, MIB).imageId());
      Path backup = directory.resolve("backup");
      copy(box.repository(MAIN), backup);
      String lost = Box.disk(client, MAIN, MIB).imageId();
      Box.awaitOptimized(client, MAIN, lost);
      Path seen = box.host(0).stateDirectory().resolve("seen");
      await().atMost(SEEN).until(() -> noted(seen) >= client.getImage(MAIN, lost, 0).commit());
      box.host(0).shutDown();
      Files.move(box.repository(MAIN), directory.resolve("newer"), StandardCopyOption.ATOMIC_MOVE);
      copy(backup, box.repository(MAIN));
      box.host(0).start();
      box.host(0).awaitReady(Box.PATIENCE);

      // The agent knows the connection, and refuses the storage that it finds.
      StorageException refused =
          refused(
              ErrorCode.STORAGE_MISMATCH, () -> connect(box, 0, MAIN, box.repository(MAIN), null));
      assertThat(refused.getMessage()).contains("this host has seen commit");
      assertThat(refused.remedy()).contains("--restored");
      connect(box, 0, MAIN, box.repository(MAIN), Adopt.RESTORED);
      box.awaitSdm(MAIN, 0);
      try (StorageClient fresh = new StorageClient(List.of(box.host(0).url()))) {
        refused(ErrorCode.IMAGE_NOT_FOUND, () -> fresh.getImage(MAIN, lost, 0));
        Box.awaitOptimized(fresh, MAIN, Box.disk(fresh, MAIN, MIB).imageId());
      }
    }
  }

  @Test
  void connectionsOutliveTheAgentAndNamesKeepTheirStorage(@TempDir Path directory)
      throws Exception {
    try (Box box = Box.start(LocalClusterOptions.in(directory).withHosts(2))) {
      StorageClient client = box.client(0);
      box.connect(MAIN, 0);
      String disk = Box.disk(client, MAIN, MIB).imageId();
      Box.awaitOptimized(client, MAIN, disk);
      Path passing = Files.createDirectories(directory.resolve("passing"));
      client.createStorageRepository(
          new ConnectRequest(
              "passing", "localfs-1.0", Map.of("path", passing.toString()), null, false));
      assertThat(client.getStorageRepository("passing").connection()).isEqualTo("transient");
      box.host(0).shutDown();

      // The storage is not mounted: the empty directory in its place stays empty.
      Path mounted = directory.resolve("mounted-later");
      Files.move(box.repository(MAIN), mounted, StandardCopyOption.ATOMIC_MOVE);
      Files.createDirectories(box.repository(MAIN));
      box.host(0).start();
      box.host(0).awaitReady(Box.PATIENCE);
      refused(
          ErrorCode.REPOSITORY_UNUSABLE,
          () -> client.createStorageRepository(Box.at(MAIN, box.repository(MAIN))));
      assertThat(Box.names(box.repository(MAIN))).isEmpty();
      refused(ErrorCode.REPOSITORY_NOT_CONNECTED, () -> client.getStorageRepository("passing"));

      // Another repository does not take over the name, neither here nor on another host.
      Path another = Files.createDirectories(directory.resolve("another"));
      box.client(1).createStorageRepository(Box.at("another", another));
      box.client(1).disconnectStorageRepository("another");
      refused(ErrorCode.REPOSITORY_ID_TAKEN, () -> connect(box, 0, MAIN, another, null));

      Files.delete(box.repository(MAIN));
      Files.move(mounted, box.repository(MAIN), StandardCopyOption.ATOMIC_MOVE);
      RepositoryInfo back =
          await()
              .atMost(SEEN)
              .ignoreExceptions()
              .until(() -> client.getStorageRepository(MAIN), info -> info.health().equals("ok"));
      assertThat(back.connection()).isEqualTo("persistent");
      assertThat(client.getImage(MAIN, disk, 0).size()).isEqualTo(MIB);
      await()
          .atMost(SEEN)
          .untilAsserted(() ->
              refused(ErrorCode.REPOSITORY_ID_TAKEN, () -> connect(box, 1, MAIN, another, null)));

      client.disconnectStorageRepository(MAIN);
      connect(box, 0, MAIN, another, null);
    }
  }

  private static void connect(Box box, int host, String repoId, Path path, @Nullable Adopt adopt) {
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

  /** The newest commit that a host has noted. */
  private static long noted(Path seen) throws IOException {
    for (String name : Files.isDirectory(seen) ? Box.names(seen) : List.<String>of()) {
      if (name.endsWith(".json")) {
        return Json.MAPPER
            .readTree(Files.readAllBytes(seen.resolve(name)))
            .path("sequence")
            .asLong();
      }
    }
    return 0;
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
