package io.quarry.it.mount;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.quarry.agent.dev.LocalClusterOptions;
import io.quarry.common.api.Json;
import io.quarry.it.box.Box;
import io.quarry.it.box.FuseMount;
import java.io.IOException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * A storage that hangs during its connection. If connections took turns on one host, the other
 * repository would have to wait.
 */
@Timeout(300)
final class HungMountIT {
  private static final String HUNG = "hung";
  private static final String SOUND = "sound";
  private static final Duration STAYS = Duration.ofSeconds(1);

  @Test
  void othersAreConnectedMeanwhileAndWhatComesTooLateIsClosed(@TempDir Path directory)
      throws Exception {
    Path behind = directory.resolve("behind");
    try (Box box = Box.start(LocalClusterOptions.in(directory));
        FuseMount mount = FuseMount.mount(behind, box.repository(HUNG))) {
      mount.hang();
      CompletableFuture<HttpResponse<String>> refusal = connectOnce(box);
      await().atMost(Box.PATIENCE).until(() -> storageIsAsked(box));

      box.connect(SOUND);
      String disk = Box.disk(box.client(0), SOUND, 1 << 20).imageId();
      Box.awaitOptimized(box.client(0), SOUND, disk);
      assertThat(refusal).isNotDone();
      assertThat(refusal.get().statusCode()).isEqualTo(503);
      assertThat(refusal.get().body()).contains("REPOSITORY_UNRESPONSIVE", "did not answer");

      mount.goOn();
      await().atMost(Box.PATIENCE).until(() -> Files.exists(behind.resolve("volumes")));
      await()
          .atMost(Box.PATIENCE)
          .during(STAYS)
          .until(() -> openFiles(box, mount.path()).isEmpty());
      assertThat(openFiles(box, box.repository(SOUND))).isNotEmpty();
    }
  }

  /** Connects by plain HTTP, since Quarry's client would try again. */
  private static CompletableFuture<HttpResponse<String>> connectOnce(Box box) throws IOException {
    var request =
        Map.of(
            "repoFormat",
            "localfs-1.0",
            "connectionParameters",
            Map.of("path", box.repository(HUNG).toString()));
    return HttpClient.newHttpClient()
        .sendAsync(
            HttpRequest.newBuilder(
                    box.host(0).url().resolve("/v1/repositories/" + HUNG + "/create"))
                .header("Content-Type", "application/json")
                .POST(BodyPublishers.ofString(Json.MAPPER.writeValueAsString(request)))
                .build(),
            BodyHandlers.ofString());
  }

  /** Whether a thread of the agent makes the first call to the storage. */
  private static boolean storageIsAsked(Box box) throws IOException {
    try (var threads = Files.list(process(box).resolve("task"))) {
      for (Path thread : threads.toList()) {
        if (Files.readString(thread.resolve("comm")).startsWith("storage-io")) {
          return true;
        }
      }
    } catch (NoSuchFileException ended) {
      return false;
    }
    return false;
  }

  private static List<Path> openFiles(Box box, Path below) throws IOException {
    try (var files = Files.list(process(box).resolve("fd"))) {
      return files.map(HungMountIT::target).filter(file -> file.startsWith(below)).toList();
    }
  }

  private static Path target(Path link) {
    try {
      return Files.readSymbolicLink(link);
    } catch (IOException closed) {
      return link;
    }
  }

  private static Path process(Box box) throws IOException {
    return Path.of("/proc", Long.toString(box.host(0).agentPid().orElseThrow()));
  }
}
