package io.quarry.it.hosts;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import io.quarry.agent.dev.LocalClusterOptions;
import io.quarry.agent.dev.LocalHost;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.HostInfo;
import io.quarry.common.api.Json;
import io.quarry.common.api.OpenRequest;
import io.quarry.common.api.OpenedImage;
import io.quarry.common.api.RemoveImageOptions;
import io.quarry.common.api.StorageException;
import io.quarry.common.client.StorageClient;
import io.quarry.it.box.Box;
import java.io.RandomAccessFile;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import org.apache.zookeeper.ZooKeeper;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A host whose clock is wrong, and one whose record in the cluster is deleted. */
@Timeout(300)
final class HostsIT {
  private static final String MAIN = "main";
  private static final String HOSTS = "/hosts";
  private static final long SIZE = 1 << 20;
  private static final Duration SESSION = Duration.ofSeconds(5);

  @TempDir static Path directory;

  private static Box pair;

  @BeforeAll
  static void start() throws Exception {
    pair = Box.start(LocalClusterOptions.in(directory).withHosts(2));
  }

  @AfterAll
  static void stop() {
    if (pair != null) {
      pair.close();
    }
  }

  /** Case 12.25: a host two hours ahead led, and emptied the trash at once. */
  @Test
  void hostTwoHoursAheadLeadsOnlyAloneAndKeepsTheTrash(@TempDir Path apart) throws Exception {
    LocalClusterOptions options = LocalClusterOptions.in(apart).withSessionTimeout(SESSION);
    try (Box box = Box.start(options)) {
      box.addOdd("odd", options, "-Dquarry.clock.offset=PT2H");
      StorageClient odd = box.client("odd");
      awaitClock(box, "ahead of the other hosts' clocks");
      // The only host that reaches the repository must not lead it.
      box.connect(MAIN, 1);
      await()
          .atMost(Box.PATIENCE)
          .until(() -> health(box).get("leads").asText().contains("its clock is"));
      box.connect(MAIN);
      String sound = box.host(0).hostId();
      assertThat(box.awaitSdm(MAIN, 0, 1)).isEqualTo(sound);
      await().atMost(Box.PATIENCE).until(() -> clockAheadSeconds(box) > 7_000);

      String disk = Box.disk(odd, MAIN, SIZE).imageId();
      Box.awaitOptimized(odd, MAIN, disk);
      odd.removeImage(MAIN, disk, new RemoveImageOptions(true, Duration.ofHours(1)), null);
      assertThat(box.awaitSdm(MAIN, 0, 1)).isEqualTo(sound);

      Path young = Files.createFile(box.repository(MAIN).resolve("tmp/young"));
      Path old = Files.createFile(box.repository(MAIN).resolve("tmp/old"));
      FileTime yesterday = FileTime.from(Instant.now().minus(Duration.ofDays(1)));
      Files.setLastModifiedTime(old, yesterday);
      box.host(0).shutDown();
      assertThat(box.awaitSdm(MAIN, 1)).isEqualTo("odd");
      awaitClock(box, "the trash is kept");
      String another = Box.disk(odd, MAIN, SIZE).imageId();
      Box.awaitOptimized(odd, MAIN, another);
      odd.removeImage(MAIN, another, RemoveImageOptions.DEFAULT, null);
      await().atMost(Box.PATIENCE).until(() -> box.volumes(MAIN).size() == 1);
      odd.restoreImage(MAIN, disk, null);
      Box.awaitOptimized(odd, MAIN, disk);
      // Files have the storage's times, which the host's clock does not know.
      await().atMost(Box.PATIENCE).until(() -> Files.notExists(old));
      assertThat(young).exists();
    }
  }

  /** Case 12.6: the host stayed absent, and a fence ended its opens while its guests ran. */
  @Test
  void hostWhoseRecordIsDeletedIsBackAndIsNotFenced() throws Exception {
    String repoId = pair.newRepository();
    String other = pair.hostIds().get(1);
    StorageClient client = pair.client(0);
    String disk = Box.disk(client, repoId, SIZE).imageId();
    Box.awaitOptimized(client, repoId, disk);
    OpenedImage guest =
        pair.client(1).openImage(repoId, disk, new OpenRequest(false, "vm-1"), null);
    ZooKeeper zooKeeper = new ZooKeeper(pair.connectString(), (int) SESSION.toMillis(), _ -> {});
    try {
      String node =
          await()
              .ignoreExceptions()
              .until(
                  () -> zooKeeper.getChildren(HOSTS, false),
                  names -> names.stream().anyMatch(name -> name.startsWith(other + "@")))
              .stream()
              .filter(name -> name.startsWith(other + "@"))
              .findAny()
              .orElseThrow();
      zooKeeper.delete(HOSTS + "/" + node, -1);

      StorageException refusal =
          catchThrowableOfType(StorageException.class, () -> client.fenceHost(other));
      assertThat(refusal).isNotNull();
      assertThat(refusal.code()).isEqualTo(ErrorCode.INVALID_ARGUMENT);
      assertThat(refusal.getMessage()).contains("is alive");
      await().atMost(Box.PATIENCE).until(() -> zooKeeper.exists(HOSTS + "/" + node, false) != null);
      await()
          .atMost(Box.PATIENCE)
          .until(() -> client.listHosts().stream().map(HostInfo::hostId).toList().contains(other));
      // If the open had been ended, this call would be refused.
      pair.client(1).closeImage(repoId, disk, guest.openId(), null);
    } finally {
      zooKeeper.close();
    }
  }

  /**
   * Case 12.6: the thread that follows the log ended, and the host's view stayed old with health
   * ok.
   */
  @Test
  void recordTooLargeToReadIsToldAndPasses() throws Exception {
    String repoId = pair.newName();
    pair.connect(repoId, 0);
    StorageClient client = pair.client(0);
    Box.awaitOptimized(client, repoId, Box.disk(client, repoId, SIZE).imageId());
    long commit = client.getStorageRepository(repoId).commit();
    Path record =
        pair.repository(repoId).resolve("log").resolve("%016d.record".formatted(commit + 1));
    try (RandomAccessFile huge = new RandomAccessFile(record.toFile(), "rw")) {
      huge.setLength(3L << 30);
    }
    await().atMost(Box.PATIENCE).until(() -> !pair.host(0).ready());
    assertThat(answer(pair.host(0), "/health"))
        .contains("\"reason\"", "repository " + repoId + ": ");
    assertThat(answer(pair.host(0), "/metrics"))
        .contains("quarry_thread_failures_total{thread=\"replica-" + repoId + "\"}");

    Files.delete(record);
    await().atMost(Box.PATIENCE).until(() -> pair.host(0).ready());
    await()
        .atMost(Box.PATIENCE)
        .ignoreExceptions()
        .untilAsserted(
            () -> assertThat(Box.disk(client, repoId, SIZE).commit()).isGreaterThan(commit));
  }

  /** The answer, whatever its status. */
  private static String answer(LocalHost host, String path) throws Exception {
    try (HttpClient http = HttpClient.newHttpClient()) {
      HttpRequest request = HttpRequest.newBuilder(host.url().resolve(path)).build();
      return http.send(request, HttpResponse.BodyHandlers.ofString()).body();
    }
  }

  private static void awaitClock(Box box, String words) {
    await().atMost(Box.PATIENCE).until(() -> health(box).get("clock").asText().contains(words));
  }

  private static JsonNode health(Box box) throws Exception {
    return Json.MAPPER.readTree(answer(box.host("odd"), "/health"));
  }

  private static double clockAheadSeconds(Box box) {
    return box.client(0).listHosts().stream()
        .filter(host -> host.hostId().equals("odd"))
        .map(HostInfo::clockAheadSeconds)
        .mapToDouble(ahead -> ahead == null ? 0 : ahead)
        .sum();
  }
}
