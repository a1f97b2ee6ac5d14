package io.quarry.agent.service;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.quarry.agent.AgentsUnderTest;
import io.quarry.agent.AtPlace;
import io.quarry.common.api.BeginUploadRequest;
import io.quarry.common.api.ByteRange;
import io.quarry.common.api.DownloadRequest;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.FinishUploadRequest;
import io.quarry.common.api.ImageData;
import io.quarry.common.api.OpenRequest;
import io.quarry.common.api.OpenedImage;
import io.quarry.common.api.Sha256;
import io.quarry.common.api.StorageException;
import io.quarry.common.api.UploadInfo;
import io.quarry.common.api.UploadRange;
import io.quarry.common.client.StorageClient;
import io.quarry.coordinator.fault.FaultPoints;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.RandomAccessFile;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** 12.F: several ranges of one image on their way at once. */
@Timeout(180)
final class RangesInFlightTest {
  private static final int MIB = 1 << 20;
  private static final int SIZE = 48 * MIB;
  private static final byte[] CONTENT = new byte[SIZE];

  @TempDir static Path directory;

  private static AgentsUnderTest agents;
  private static StorageClient client;
  private static String sha256 = "";

  @BeforeAll
  static void start() throws Exception {
    new Random(12).nextBytes(CONTENT);
    sha256 = HexFormat.of().formatHex(Sha256.fresh().digest(CONTENT));
    agents = AgentsUnderTest.start(directory, 2, "main");
    client = agents.client(0);
  }

  @AfterAll
  static void stop() {
    if (agents != null) {
      agents.close();
    }
  }

  private static UploadRange range(int from, int to) {
    return new UploadRange(from, to - from, SIZE, false, null);
  }

  private static UploadInfo put(String disk, String id, int from, int to) {
    var content = new ByteArrayInputStream(CONTENT, from, to - from);
    return client.uploadImage("main", disk, id, range(from, to), content);
  }

  private static UploadInfo finish(String disk, String id) {
    return await()
        .atMost(AgentsUnderTest.PATIENCE)
        .until(
            () -> client.finishUpload("main", disk, id, new FinishUploadRequest(sha256), null),
            UploadInfo::finished);
  }

  private static void assertContent(String disk) throws IOException {
    try (ImageData data = client.downloadImage("main", disk, DownloadRequest.WHOLE)) {
      assertThat(data.content().readAllBytes()).isEqualTo(CONTENT);
    }
  }

  /** Two pieces at a time in a random order; a piece that comes too early is sent again. */
  @Test
  void rangesThatComeInAnyOrderMakeTheContent() throws Exception {
    String disk = agents.disk("main", SIZE);
    String id = client.beginUpload("main", disk, BeginUploadRequest.RAW, null).uploadId();
    List<Integer> pieces = new ArrayList<>();
    for (int at = 0; at < SIZE; at += 4 * MIB) {
      pieces.add(at);
    }
    try (ExecutorService callers = Executors.newVirtualThreadPerTaskExecutor()) {
      for (int first = 0; first < pieces.size(); first += 4) {
        List<Integer> some = new ArrayList<>(pieces.subList(first, first + 4));
        Collections.shuffle(some, new Random(first));
        List<Future<UploadInfo>> sent = new ArrayList<>();
        for (int at : some) {
          sent.add(callers.submit(() -> insist(disk, id, at, at + 4 * MIB)));
        }
        for (int i = 0; i < some.size(); i++) {
          assertThat(sent.get(i).get().offset()).isGreaterThanOrEqualTo(some.get(i) + 4 * MIB);
        }
      }
    }
    assertThat(finish(disk, id).finished()).isTrue();
    assertContent(disk);
  }

  private static UploadInfo insist(String disk, String id, int from, int to) {
    return await()
        .atMost(AgentsUnderTest.PATIENCE)
        .ignoreExceptionsMatching(
            e -> e instanceof StorageException s && s.code() == ErrorCode.RANGE_NOT_SATISFIABLE)
        .until(() -> put(disk, id, from, to), _ -> true);
  }

  /** While one range is made durable the next ones are written, and one flush covers them all. */
  @Test
  void rangesBehindOneThatIsMadeDurableAreMadeDurableTogether() throws Exception {
    String disk = agents.disk("main", SIZE);
    List<String> others = agents.volumes("main", "");
    String id = client.beginUpload("main", disk, BeginUploadRequest.RAW, null).uploadId();
    CountDownLatch flushing = new CountDownLatch(1);
    CountDownLatch go = new CountDownLatch(1);
    try (ExecutorService callers = Executors.newVirtualThreadPerTaskExecutor()) {
      FaultPoints.observe(
          new AtPlace(
              "upload.received",
              () -> {
                flushing.countDown();
                pass(go);
              }));
      Future<UploadInfo> first = callers.submit(() -> put(disk, id, 0, MIB));
      flushing.await();
      Future<UploadInfo> second = callers.submit(() -> put(disk, id, MIB, 2 * MIB));
      Future<UploadInfo> third = callers.submit(() -> insist(disk, id, 2 * MIB, 3 * MIB));
      // A range is written in its turn: once this one is, the third one's turn is over.
      Future<UploadInfo> fourth = callers.submit(() -> insist(disk, id, 3 * MIB, 4 * MIB));
      await().atMost(AgentsUnderTest.PATIENCE).until(() -> isStored(others, 3 * MIB, 4 * MIB));
      assertThat(client.getUpload("main", disk, id).offset()).as("acknowledged").isZero();
      assertThat(second.isDone() || third.isDone()).isFalse();
      go.countDown();
      assertThat(first.get().offset()).isGreaterThanOrEqualTo(MIB);
      assertThat(second.get().offset()).isGreaterThanOrEqualTo(3 * MIB);
      assertThat(third.get().offset()).isGreaterThanOrEqualTo(3 * MIB);
      assertThat(fourth.get().offset()).isEqualTo(4 * MIB);
    } finally {
      go.countDown();
      FaultPoints.observe(null);
    }
  }

  /** Whether a volume besides the others, which earlier tests have filled, has these bytes. */
  private static boolean isStored(List<String> others, int from, int to) throws Exception {
    byte[] expected = Arrays.copyOfRange(CONTENT, from, to);
    for (String name : agents.volumes("main", "")) {
      if (others.contains(name)) {
        continue;
      }
      Path file = agents.repository("main").resolve("volumes").resolve(name);
      try (RandomAccessFile volume = new RandomAccessFile(file.toFile(), "r")) {
        byte[] found = new byte[expected.length];
        volume.seek(from);
        if (volume.read(found) == found.length && Arrays.equals(found, expected)) {
          return true;
        }
      }
    }
    return false;
  }

  private static void pass(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /**
   * A range with a wrong digest is not written; the range behind it waits for the gap to be filled.
   */
  @Test
  void damagedRangeTakesNothingAlong() throws Exception {
    String disk = agents.disk("main", SIZE);
    String id = client.beginUpload("main", disk, BeginUploadRequest.RAW, null).uploadId();
    put(disk, id, 0, MIB);
    URI agent = client.agents().getFirst();
    String head =
        """
        PUT /v1/repositories/main/images/%s/data?uploadId=%s HTTP/1.1
        Host: localhost
        Content-Type: application/octet-stream
        Content-Length: %d
        Content-Range: %s
        Content-Digest: sha-256=:%s:

        """
            .formatted(disk, id, MIB, range(MIB, 2 * MIB).header(), "A".repeat(43) + "=")
            .replace("\n", "\r\n");
    try (ExecutorService callers = Executors.newVirtualThreadPerTaskExecutor();
        Socket damaged = new Socket(agent.getHost(), agent.getPort())) {
      damaged.getOutputStream().write(head.getBytes(StandardCharsets.US_ASCII));
      damaged.getOutputStream().write(CONTENT, MIB, MIB / 2);
      Future<UploadInfo> behind = callers.submit(() -> put(disk, id, 2 * MIB, 3 * MIB));
      damaged.getOutputStream().write(CONTENT, MIB + MIB / 2, MIB / 2);
      byte[] answer = damaged.getInputStream().readNBytes(12);
      assertThat(new String(answer, StandardCharsets.US_ASCII)).isEqualTo("HTTP/1.1 400");
      assertThatThrownBy(behind::get).hasMessageContaining("are missing before");
    }
    assertThat(put(disk, id, MIB, 40 * MIB).offset()).isEqualTo(40 * MIB);
    put(disk, id, 40 * MIB, SIZE);
    assertThat(finish(disk, id).finished()).isTrue();
    assertContent(disk);
  }

  /** Durable bytes are read back before the caller asks for the end. */
  @Test
  void contentIsReadBackWhileMoreComes() throws Exception {
    String disk = agents.disk("main", SIZE);
    String id = client.beginUpload("main", disk, BeginUploadRequest.RAW, null).uploadId();
    put(disk, id, 0, 40 * MIB);
    await()
        .atMost(AgentsUnderTest.PATIENCE)
        .until(() -> client.getUpload("main", disk, id).verified() >= ReadBack.SPAN_BYTES);
    put(disk, id, 40 * MIB, SIZE);
    finish(disk, id);
    assertContent(disk);
  }

  /** The digest covers the stored bytes, not the received ones. */
  @Test
  void bytesThatTheStorageChangedAreFound() throws Exception {
    String disk = agents.disk("main", SIZE);
    List<String> before = agents.volumes("main", "");
    String id = client.beginUpload("main", disk, BeginUploadRequest.RAW, null).uploadId();
    put(disk, id, 0, SIZE - MIB);
    List<String> filled =
        agents.volumes("main", "").stream().filter(name -> !before.contains(name)).toList();
    Path file = agents.repository("main").resolve("volumes").resolve(filled.getFirst());
    try (RandomAccessFile volume = new RandomAccessFile(file.toFile(), "rw")) {
      volume.seek(SIZE - 2 * MIB);
      volume.write(~CONTENT[SIZE - 2 * MIB]);
    }
    put(disk, id, SIZE - MIB, SIZE);
    assertThatThrownBy(() -> finish(disk, id))
        .isInstanceOfSatisfying(
            StorageException.class,
            refused -> assertThat(refused.code()).isEqualTo(ErrorCode.DIGEST_MISMATCH));
    client.closeImage("main", disk, id, null);
  }

  /** Ranges that are read at once share one open, and the last one closes the open. */
  @Test
  void rangesThatAreReadAtOnceShareAnOpen() throws Exception {
    String disk = agents.disk("main", SIZE);
    try (HttpClient http = HttpClient.newHttpClient();
        InputStream one = stream(http, disk);
        InputStream two = stream(http, disk)) {
      assertThat(one.read()).isZero();
      assertThat(two.read()).isZero();
      assertThat(client.getImage("main", disk, 0).opens()).hasSize(1);
      var last = new DownloadRequest(ByteRange.of(0, 512), null, null, false);
      client.downloadImage("main", disk, last).close();
      assertThat(client.getImage("main", disk, 0).opens())
          .as("the other readers share an open")
          .hasSize(1);
      assertThat(one.readAllBytes()).hasSize(SIZE - 1);
      assertThat(two.readAllBytes()).hasSize(SIZE - 1);
    }
    await()
        .atMost(AgentsUnderTest.PATIENCE)
        .until(() -> client.getImage("main", disk, 0).opens().isEmpty());
    OpenedImage opened = client.openImage("main", disk, new OpenRequest(false, "vm"), null);
    client.closeImage("main", disk, opened.openId(), null);
  }

  private static InputStream stream(HttpClient http, String disk) throws Exception {
    URI data = client.agents().getFirst().resolve("/v1/repositories/main/images/" + disk + "/data");
    return http.send(HttpRequest.newBuilder(data).build(), BodyHandlers.ofInputStream()).body();
  }
}
