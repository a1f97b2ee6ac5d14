package io.quarry.it.upgrade;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.quarry.agent.dev.ClassArchive;
import io.quarry.common.api.ImageOptions;
import io.quarry.common.api.Json;
import io.quarry.common.api.RemoveImageOptions;
import io.quarry.common.client.StorageClient;
import io.quarry.it.box.Box;
import io.quarry.it.box.Copying;
import io.quarry.it.box.QemuGuest;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Hosts of an older commit beside hosts of this one, as {@code ./verify upgrade} runs them. An
 * administrator upgrades host by host, goes back, and upgrades again. The repositories stay usable
 * by both until their features are upgraded.
 */
@Timeout(1200)
final class UpgradeStory {
  private static final String MAIN = "main";
  private static final String BACKUP = "backup";
  private static final int HOSTS = 3;
  private static final long SIZE = 8L << 20;
  private static final long DATA = 1L << 20;

  /** The class path of the older commit. */
  private final String older = Objects.requireNonNull(System.getProperty("quarry.older"));

  private final String newer = ClassArchive.classPath();

  /** All images by repository and id, with the pattern that each holds. */
  private final Map<List<String>, Integer> kept = new LinkedHashMap<>();

  private int patterns;

  @Test
  void hostsOfBothCommitsServeTheSameRepositories(@TempDir Path directory) throws Exception {
    try (Box box = Box.start(Box.mortal(directory, HOSTS))) {
      for (int host = 0; host < HOSTS; host++) {
        change(box, host, older);
      }
      work(box, "all old");
      for (int host = 0; host < HOSTS; host++) {
        change(box, host, newer);
        work(box, "upgraded up to " + host);
      }
      for (int host = HOSTS - 1; host >= 0; host--) {
        change(box, host, older);
        work(box, "back down to " + host);
      }
      for (int host = 0; host < HOSTS; host++) {
        change(box, host, newer);
      }
      for (String repoId : List.of(MAIN, BACKUP)) {
        StorageClient client = box.client(0);
        assertThat(client.getStorageRepository(repoId).dueFeatures()).isNotEmpty();
        client.upgradeStorageRepository(repoId, null);
        await()
            .atMost(Box.PATIENCE)
            .untilAsserted(
                () -> assertThat(client.getStorageRepository(repoId).dueFeatures()).isEmpty());
      }
      work(box, "with all features");
    }
  }

  private static void change(Box box, int host, String classPath) throws Exception {
    box.host(host).shutDown();
    box.host(host).install(classPath);
    box.host(host).start();
    box.host(host).awaitReady(Box.PATIENCE);
    connect(box, host, MAIN);
    connect(box, host, BACKUP);
  }

  /** The first call, at an agent of the older commit, makes the repository. */
  private static void connect(Box box, int host, String repoId) throws Exception {
    Path path = box.repository(repoId);
    Map<String, Object> body = new HashMap<>();
    body.put("repoId", repoId);
    body.put("repoFormat", "localfs-1.0");
    body.put("connectionParameters", Map.of("path", path.toString()));
    if (Files.notExists(path)) {
      // The older commit's way to make a repository.
      body.put("create", true);
      Files.createDirectories(path);
    }
    HttpRequest request =
        HttpRequest.newBuilder(box.host(host).url().resolve("/v1/repositories"))
            .header("Content-Type", "application/json")
            .POST(HttpRequest.BodyPublishers.ofByteArray(Json.MAPPER.writeValueAsBytes(body)))
            .build();
    try (HttpClient http = HttpClient.newHttpClient()) {
      var answer = http.send(request, HttpResponse.BodyHandlers.ofString());
      assertThat(answer.statusCode()).as(answer.body()).isIn(200, 201);
    }
  }

  /** Each host is asked for each kind of work, under an SDM that may be of the other commit. */
  private void work(Box box, String when) throws Exception {
    for (int host = 0; host < HOSTS; host++) {
      StorageClient client = box.client(host);
      System.out.printf("%s: host %d%n", when, host);
      String disk = Box.disk(client, MAIN, SIZE).imageId();
      Box.awaitOptimized(client, MAIN, disk);
      String snapshot = write(client, disk);
      String below = write(client, disk);
      keep(MAIN, below);
      String copy = Copying.copy(client, BACKUP, snapshot, ImageOptions.DEFAULT).imageId();
      Box.awaitOptimized(client, BACKUP, copy);
      kept.put(List.of(BACKUP, copy), patterns - 1);
      // The removed snapshot below is merged.
      client.removeImage(MAIN, snapshot, RemoveImageOptions.DEFAULT, null);
      keep(MAIN, disk);
      for (Map.Entry<List<String>, Integer> image : kept.entrySet()) {
        assertPattern(client, image.getKey().get(0), image.getKey().get(1), image.getValue());
      }
    }
    moveSdm(box);
  }

  /** Fills the disk with a new pattern, and takes a snapshot. */
  private String write(StorageClient client, String disk) throws Exception {
    patterns = patterns % 200 + 1;
    QemuGuest.use(client, MAIN, disk, "write -P %d 0 %d".formatted(patterns, DATA));
    String snapshot = Box.snapshot(client, MAIN, disk).imageId();
    Box.awaitOptimized(client, MAIN, disk);
    return snapshot;
  }

  private void keep(String repoId, String imageId) {
    kept.put(List.of(repoId, imageId), patterns);
  }

  private static void assertPattern(
      StorageClient client, String repoId, String imageId, int pattern) throws Exception {
    Path content = Files.createTempFile("content", ".raw");
    try {
      QemuGuest.export(client, repoId, imageId, content);
      try (var file = Files.newInputStream(content)) {
        assertThat(file.readNBytes((int) DATA)).containsOnly(pattern);
        assertThat(file.readAllBytes()).containsOnly(0);
      }
    } finally {
      Files.delete(content);
    }
  }

  private static void moveSdm(Box box) throws Exception {
    String sdm = box.awaitSdm(MAIN, 0, 1, 2);
    int host = box.hostIds().indexOf(sdm);
    long killed = box.host(host).agentPid().orElseThrow();
    box.host(host).killAgent();
    await().atMost(Box.PATIENCE).until(() -> box.host(host).agentPid().orElse(killed) != killed);
    box.host(host).awaitReady(Box.PATIENCE);
    // Agents of the older commit forget their repositories at their end.
    connect(box, host, MAIN);
    connect(box, host, BACKUP);
    assertThat(box.awaitSdm(MAIN, 0, 1, 2)).isNotEqualTo(sdm);
  }
}
