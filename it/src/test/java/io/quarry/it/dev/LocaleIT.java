package io.quarry.it.dev;

import static org.assertj.core.api.Assertions.assertThat;

import io.quarry.agent.dev.EmbeddedZooKeeper;
import io.quarry.agent.dev.LocalCluster;
import io.quarry.agent.dev.LocalClusterOptions;
import io.quarry.common.api.ConnectRequest;
import io.quarry.common.client.StorageClient;
import io.quarry.it.box.Box;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** 12.19: agents that start with a minimal environment, as from cron, or with a foreign one. */
@Timeout(180)
final class LocaleIT {
  @TempDir static Path data;

  private static EmbeddedZooKeeper zooKeeper;

  @TempDir private Path directory;

  @BeforeAll
  static void start() throws Exception {
    zooKeeper = EmbeddedZooKeeper.start(data);
  }

  @AfterAll
  static void stop() {
    if (zooKeeper != null) {
      zooKeeper.close();
    }
  }

  @ParameterizedTest
  @CsvSource({"C, en, US", "POSIX, tr, TR", "de_DE.ISO-8859-1, de, DE", "C, ar, EG"})
  void pathsAndMessagesAreTheSame(String locale, String language, String country) throws Exception {
    LocalClusterOptions options = LocalClusterOptions.in(directory.resolve("hosts"));
    options =
        new LocalClusterOptions(
            1,
            options.directory(),
            options.sessionTimeout(),
            Optional.of(zooKeeper.connectString()),
            List.of(
                "-Xmx256m",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-Duser.language=" + language,
                "-Duser.country=" + country),
            _ -> Map.of("hostId", "host-" + language),
            List.of(),
            List.of("env", "-i", "PATH=" + System.getenv("PATH"), "LC_ALL=" + locale));
    String repoId = "main-" + language;
    // The test's own names must not depend on its locale.
    Path repository = directory.resolve("repository");
    String named = repository + "-Gr\u00f6\u00dfe";
    run("mkdir", repository.toString());
    run(
        "sh",
        "-c",
        "mv '%s' \"$(printf '%s-Gr\\303\\266\\303\\237e')\"".formatted(repository, repository));
    try (LocalCluster cluster = LocalCluster.start(options);
        StorageClient client = new StorageClient(List.of(cluster.host(0).url()))) {
      cluster.awaitReady(Box.PATIENCE);
      client.createStorageRepository(
          new ConnectRequest(repoId, "localfs-1.0", Map.of("path", named)));
      String disk = Box.disk(client, repoId, 1 << 20).imageId();
      Box.awaitOptimized(client, repoId, disk);
      assertThat(client.getStorageRepository(repoId).connectionParameters())
          .containsEntry("path", named);
      String log = Files.readString(cluster.host(0).log(), StandardCharsets.UTF_8);
      assertThat(log).doesNotContain("MalformedInput").doesNotContain("Exception");
    }
    run(
        "sh",
        "-c",
        "ls \"$(printf '%s-Gr\\303\\266\\303\\237e')\"/volumes/*.raw".formatted(repository));
  }

  private static void run(String... words) throws Exception {
    assertThat(new ProcessBuilder(List.of(words)).inheritIO().start().waitFor()).isZero();
  }
}
