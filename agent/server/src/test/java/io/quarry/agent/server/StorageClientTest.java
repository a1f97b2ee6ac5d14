package io.quarry.agent.server;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quarry.agent.call.FakeStorage;
import io.quarry.common.api.CheckOptions;
import io.quarry.common.api.CloseOpensRequest;
import io.quarry.common.api.ConnectRequest;
import io.quarry.common.api.CopyImageRequest;
import io.quarry.common.api.CreateSnapshotRequest;
import io.quarry.common.api.CreateVirtualDiskRequest;
import io.quarry.common.api.CreatedImage;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.Fix;
import io.quarry.common.api.FixQuery;
import io.quarry.common.api.FixRequest;
import io.quarry.common.api.ImageInfo;
import io.quarry.common.api.ImageOptions;
import io.quarry.common.api.ImageQuery;
import io.quarry.common.api.Json;
import io.quarry.common.api.OpenInfo;
import io.quarry.common.api.OpenRequest;
import io.quarry.common.api.OpenedImage;
import io.quarry.common.api.RemoveImageOptions;
import io.quarry.common.api.StatusQuery;
import io.quarry.common.api.StorageException;
import io.quarry.common.api.TaskInfo;
import io.quarry.common.client.ClientSettings;
import io.quarry.common.client.JsonHttp;
import io.quarry.common.client.StorageClient;
import io.quarry.common.model.ImageState;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
final class StorageClientTest {
  private static final Duration SOON = Duration.ofSeconds(5);

  private static StorageClient client(ServerUnderTest... servers) {
    return new StorageClient(
        List.of(servers).stream().map(server -> server.server.uri()).toList(),
        ClientSettings.within(SOON));
  }

  private static CreateVirtualDiskRequest disk() {
    return new CreateVirtualDiskRequest(
        1 << 20, null, Json.MAPPER.createObjectNode().put("name", "web"), ImageOptions.DEFAULT);
  }

  private static ServerUnderTest agent(WatchedStorage storage) {
    return new ServerUnderTest(storage, ServerLimits.DEFAULT, body -> body);
  }

  @Test
  void everyVerbGoesThere() {
    try (var server = new ServerUnderTest();
        var client = client(server)) {
      WatchedStorage storage = server.storage;
      Queue<String> verbs = new ConcurrentLinkedQueue<>();
      storage.before(verbs::add);
      var connect = new ConnectRequest("fast", "localfs-1.0", Map.of("path", "/srv/quarry"));
      assertThat(client.createStorageRepository(connect).health()).isEqualTo("ok");
      assertThat(verbs).containsExactly("createStorageRepository");
      assertThat(storage.last(ConnectRequest.class)).isEqualTo(connect);
      client.disconnectStorageRepository("fast");
      assertThat(client.connectStorageRepository(connect).health()).isEqualTo("ok");
      assertThat(client.listStorageRepositories()).hasSize(1);
      assertThat(client.getStorageRepository("fast").connectionParameters())
          .isEqualTo(connect.connectionParameters());
      CreatedImage disk = client.createVirtualDisk("fast", disk(), null);
      assertThat(storage.last(CreateVirtualDiskRequest.class)).isEqualTo(disk());
      var userData = Json.MAPPER.createObjectNode();
      var create = new CreateSnapshotRequest(disk.imageId(), userData, ImageOptions.DEFAULT);
      String snapshot = client.createSnapshot("fast", create, null).imageId();
      assertThat(storage.last(CreateSnapshotRequest.class)).isEqualTo(create);
      var options =
          new ImageOptions(
              false, ImageOptions.DEFAULT.strategy(), List.of("fast"), Map.of("a", "b"));
      var copy = new CopyImageRequest(snapshot, "base", userData, options);
      client.copyImage("fast", copy, null);
      assertThat(storage.last(CopyImageRequest.class)).isEqualTo(copy);
      assertThat(client.listImages("fast", ImageQuery.ALL).images()).hasSize(2);
      ImageInfo image = client.getImage("fast", disk.imageId(), 0);
      assertThat(image.userData()).isEqualTo(disk().userData());
      assertThat(image.createdAt()).isEqualTo(FakeStorage.NOON);
      Fix fix = client.checkStorageRepository("fast", CheckOptions.DEFAULT).fixes().getFirst();
      client.fixStorageRepository("fast", new FixRequest(fix), null);
      assertThat(storage.last(FixRequest.class)).isEqualTo(new FixRequest(fix));
      assertThat(client.listFixes("fast", 0)).isNotEmpty();
      String task = client.listTasks("host-1").getFirst().taskId();
      client.stopTask(task);
      assertThat(client.listTasks("host-1")).extracting(TaskInfo::taskId).doesNotContain(task);
      assertThat(client.listHosts()).hasSize(2);
      client.fenceHost("host-9");
      client.setThrottle(1 << 20);
      assertThat(storage.fake.throttle()).isEqualTo(1 << 20);
      client.resizeImage("fast", disk.imageId(), 2 << 20, null);
      assertThat(client.getImage("fast", disk.imageId(), 0).size()).isEqualTo(2L << 20);
    }
  }

  @Test
  void everyVerbAboutOpensGoesThere() {
    try (var server = new ServerUnderTest();
        var client = client(server)) {
      WatchedStorage storage = server.storage;
      String disk = server.seed();
      OpenedImage web = client.openImage("fast", disk, new OpenRequest(true, "web 1"), null);
      assertThat(web.readOnly()).isTrue();
      OpenInfo info = client.getOpen("fast", web.openId(), 0);
      assertThat(info.owner()).isEqualTo("web 1");
      assertThat(client.listOpens("fast", "host-1", 0)).containsExactly(info);
      client.closeImage("fast", disk, web.openId(), null);
      String old = client.openImage("fast", disk, new OpenRequest(true, "vm-old"), null).openId();
      var dead = new CloseOpensRequest("host-1", true, false);
      assertThat(client.closeOpens("fast", dead, null).openIds()).containsExactly(old);
      assertThat(storage.last(CloseOpensRequest.class)).isEqualTo(dead);
      String mail = client.openImage("fast", disk, new OpenRequest(true, "mail"), null).openId();
      client.closeOpen("fast", mail, true, null);
      assertThat(storage.last(Boolean.class)).isTrue();
      assertThat(client.listOpens("fast", null, 0)).isEmpty();
      client.removeImage("fast", disk, RemoveImageOptions.DEFAULT, null);
      assertThat(storage.last(RemoveImageOptions.class)).isEqualTo(RemoveImageOptions.DEFAULT);
      client.disconnectStorageRepository("fast");
      assertThat(client.listStorageRepositories()).isEmpty();
    }
  }

  @Test
  void errorsArriveWhole() {
    try (var server = new ServerUnderTest();
        var client = client(server)) {
      server.seed();
      assertThatThrownBy(() -> client.getImage("fast", "../etc", 0))
          .isInstanceOfSatisfying(
              StorageException.class,
              e -> {
                assertThat(e.code()).isEqualTo(ErrorCode.INVALID_ARGUMENT);
                assertThat(e.subject()).isEqualTo("imageId");
                assertThat(e.remedy()).isNotEmpty();
              });
    }
  }

  @Test
  void readsAskForWhatWasWritten() {
    try (var server = new ServerUnderTest();
        var client = client(server)) {
      server.seed();
      CreatedImage disk = client.createVirtualDisk("fast", disk(), null);
      client.getImageStatus("fast", disk.imageId(), StatusQuery.NOW);
      assertThat(server.storage.last(StatusQuery.class))
          .isEqualTo(new StatusQuery(Duration.ZERO, null, disk.commit()));
      client.listImages("fast", ImageQuery.ALL);
      assertThat(server.storage.last(ImageQuery.class).atLeast()).isEqualTo(disk.commit());
      client.listFixes("fast", 0);
      assertThat(server.storage.last(FixQuery.class).atLeast()).isEqualTo(disk.commit());
    }
  }

  @Test
  void waitIsPassedOn() {
    try (var server = new ServerUnderTest();
        var client = client(server)) {
      String disk = server.seed();
      var query = new StatusQuery(Duration.ofSeconds(30), ImageState.DEGRADED, 0);
      assertThat(client.getImageStatus("fast", disk, query).state())
          .isEqualTo(ImageState.OPTIMIZED);
      StatusQuery seen = server.storage.last(StatusQuery.class);
      assertThat(seen.until()).isEqualTo(ImageState.DEGRADED);
      assertThat(seen.timeout()).isBetween(Duration.ofSeconds(29), Duration.ofSeconds(30));
    }
  }

  @Test
  void deadAgentInTheMiddleOfARequestIsPassedOver() throws Exception {
    var storage = new WatchedStorage();
    Queue<String> tries = new ConcurrentLinkedQueue<>();
    var entered = new CountDownLatch(1);
    try (var first = agent(storage);
        var second = agent(storage);
        var client = client(first, second);
        ExecutorService callers = Executors.newVirtualThreadPerTaskExecutor()) {
      first.seed();
      storage.before(verb -> {
        tries.add(verb);
        if (tries.size() == 1) {
          entered.countDown();
          hold(new CountDownLatch(1));
        }
      });
      int before = storage.fake.imageCount();
      Future<CreatedImage> call =
          callers.submit(() -> client.createVirtualDisk("fast", disk(), "request-1"));
      entered.await();
      first.server.close(Duration.ZERO);
      CreatedImage image = call.get();
      assertThat(client.getImage("fast", image.imageId(), 0).imageId()).isEqualTo(image.imageId());
      assertThat(tries).contains("createVirtualDisk request-1");
      assertThat(storage.fake.imageCount()).isEqualTo(before + 1);
    }
  }

  @Test
  void everyTryCarriesTheSameRequestId() {
    var storage = new WatchedStorage();
    Set<String> verbs = new HashSet<>();
    var tries = new AtomicInteger();
    try (var first = agent(storage);
        var second = agent(storage);
        var client = client(first, second)) {
      first.seed();
      storage.before(verb -> {
        verbs.add(verb);
        if (tries.incrementAndGet() < 5) {
          ErrorCode code =
              tries.get() % 2 == 0 ? ErrorCode.SDM_UNAVAILABLE : ErrorCode.OUTCOME_UNKNOWN;
          throw new StorageException(code, "Not now.", "fast", "Again.");
        }
      });
      client.createVirtualDisk("fast", disk(), null);
      assertThat(tries).hasValue(5);
      assertThat(verbs).hasSize(1).noneMatch(verb -> verb.endsWith("null"));
    }
  }

  @Test
  void repositoryIsFoundAtTheAgentThatHasIt() {
    try (var first = agent(new WatchedStorage());
        var second = agent(new WatchedStorage());
        var client = client(first, second)) {
      String disk = second.seed();
      assertThat(client.getImage("fast", disk, 0).imageId()).isEqualTo(disk);
      assertThatThrownBy(() -> client.getStorageRepository("none"))
          .isInstanceOfSatisfying(
              StorageException.class,
              e -> assertThat(e.code()).isEqualTo(ErrorCode.REPOSITORY_NOT_CONNECTED));
    }
  }

  /** 12.3: the mount of one host leads to another storage, and the other host has the right one. */
  @Test
  void agentWhoseStorageIsAnotherOneIsPassedOver() {
    var mismatched = new WatchedStorage();
    mismatched.before(verb -> {
      throw new StorageException(ErrorCode.STORAGE_MISMATCH, "A copy.", "fast", "Mount it.");
    });
    try (var first = agent(mismatched);
        var second = agent(new WatchedStorage());
        var client = client(first, second);
        var alone = client(first)) {
      String disk = second.seed();
      assertThat(client.getImage("fast", disk, 0).imageId()).isEqualTo(disk);
      assertThat(client.createVirtualDisk("fast", disk(), null).imageId()).isNotEqualTo(disk);
      assertThatThrownBy(() -> alone.getImage("fast", disk, 0))
          .isInstanceOfSatisfying(
              StorageException.class,
              e -> assertThat(e.code()).isEqualTo(ErrorCode.STORAGE_MISMATCH));
    }
  }

  @Test
  void callAboutOneHostGoesToTheFirstAgentAlone() {
    try (var first = agent(new WatchedStorage());
        var second = agent(new WatchedStorage());
        var both = client(first, second)) {
      second.seed();
      both.getImage("fast", second.seed(), 0);
      both.setThrottle(7);
      assertThat(first.storage.fake.throttle()).isEqualTo(7);
      assertThat(second.storage.fake.throttle()).isZero();
      both.withAgents(List.of(second.server.uri())).setThrottle(8);
      assertThat(second.storage.fake.throttle()).isEqualTo(8);
    }
  }

  @Test
  void deadlineEndsWithWhatIsKnown() throws IOException {
    URI nobody = freePort();
    var settings = ClientSettings.within(Duration.ofMillis(300));
    try (var client = new StorageClient(List.of(nobody), settings)) {
      assertThatThrownBy(() -> client.createVirtualDisk("fast", disk(), null))
          .isInstanceOfSatisfying(
              StorageException.class,
              e -> {
                assertThat(e.code()).isEqualTo(ErrorCode.AGENT_UNAVAILABLE);
                assertThat(e.subject()).contains(nobody.toString());
              });
    }
  }

  /** An ordinary call would exceed its deadline while a part of a deep check is read. */
  @Test
  void deepCheckMayTakeLongerThanTheDeadline() {
    var storage = new WatchedStorage();
    var checks = new AtomicInteger();
    var ordinaryIsOver = new CountDownLatch(1);
    var settings = ClientSettings.within(Duration.ofMillis(300));
    try (var server = agent(storage);
        var hasty = new StorageClient(List.of(server.server.uri()), settings)) {
      server.seed();
      storage.before(verb -> {
        if (checks.incrementAndGet() > 1) {
          hold(ordinaryIsOver);
          return;
        }
        assertThatThrownBy(() -> hasty.checkStorageRepository("fast", CheckOptions.DEFAULT))
            .extracting("code")
            .isEqualTo(ErrorCode.AGENT_UNAVAILABLE);
        ordinaryIsOver.countDown();
      });
      var report = hasty.checkStorageRepository("fast", new CheckOptions(true, null, 0));
      assertThat(report.reading()).isNotNull();
    }
  }

  @Test
  void lostAnswerIsAnUnknownOutcomeWithItsRequestId() throws Exception {
    var settings = ClientSettings.within(Duration.ofMillis(300));
    try (var deaf = new ServerSocket(0, 9, InetAddress.getLoopbackAddress());
        var client = new StorageClient(List.of(uri(deaf)), settings)) {
      assertThatThrownBy(() -> client.createVirtualDisk("fast", disk(), "request-7"))
          .isInstanceOfSatisfying(
              StorageException.class,
              e -> {
                assertThat(e.code()).isEqualTo(ErrorCode.OUTCOME_UNKNOWN);
                assertThat(e.subject()).isEqualTo("request-7");
              });
    }
  }

  @Test
  void disconnectThatLostItsAnswerIsDoneWhenItIsGone() {
    var storage = new WatchedStorage();
    var tries = new AtomicInteger();
    try (var server = agent(storage);
        var client = client(server)) {
      server.seed();
      storage.before(verb -> {
        if (tries.incrementAndGet() == 1) {
          storage.fake.disconnectStorageRepository("fast");
          throw new StorageException(ErrorCode.OUTCOME_UNKNOWN, "Lost.", "fast", "Again.");
        }
      });
      client.disconnectStorageRepository("fast");
      assertThat(storage.fake.listStorageRepositories()).isEmpty();
    }
  }

  @Test
  void unsentAndUnknownAreToldApart() throws Exception {
    byte[] body = "{}".getBytes(UTF_8);
    try (var http = new JsonHttp();
        var deaf = new ServerSocket(0, 9, InetAddress.getLoopbackAddress());
        var server = new ServerUnderTest();
        ExecutorService callers = Executors.newVirtualThreadPerTaskExecutor()) {
      assertThat(http.post(freePort(), "/internal/v1/submit", body, SOON))
          .isInstanceOf(JsonHttp.Outcome.NotSent.class);
      assertThat(http.post(URI.create("http://no.such.host.invalid"), "/", body, SOON))
          .isInstanceOf(JsonHttp.Outcome.NotSent.class);
      assertThat(http.post(uri(deaf), "/", body, Duration.ofMillis(100)))
          .isInstanceOf(JsonHttp.Outcome.Unknown.class);
      var reset =
          callers.submit(() -> {
            // One connection is left over from the earlier call.
            deaf.accept().close();
            Socket socket = deaf.accept();
            var _ = socket.getInputStream().readNBytes(10);
            socket.close();
            return true;
          });
      assertThat(http.post(uri(deaf), "/", body, SOON))
          .isInstanceOf(JsonHttp.Outcome.Unknown.class);
      assertThat(reset.get()).isTrue();
      // The other side never reads, and the body does not fit into its buffers.
      assertThat(http.post(uri(deaf), "/", new byte[64 << 20], Duration.ofMillis(300)))
          .isInstanceOf(JsonHttp.Outcome.NotSent.class);
      assertThat(http.post(server.server.uri(), "/internal/v1/submit", body, SOON))
          .isInstanceOfSatisfying(
              JsonHttp.Outcome.Answered.class,
              answer -> assertThat(new String(answer.body(), UTF_8)).isEqualTo("{}"));
    }
  }

  @Test
  void restartedAgentDoesNotFailTheNextCallOnAKeptConnection() {
    try (var http = new JsonHttp()) {
      URI uri;
      try (var server = new ServerUnderTest()) {
        uri = server.server.uri();
        assertThat(http.post(uri, "/internal/v1/submit", new byte[0], SOON))
            .isInstanceOf(JsonHttp.Outcome.Answered.class);
      }
      assertThat(http.post(uri, "/internal/v1/submit", new byte[0], SOON))
          .isInstanceOf(JsonHttp.Outcome.NotSent.class);
    }
  }

  @Test
  void twoHundredClientsAtOnce() throws Exception {
    var storage = new WatchedStorage();
    try (var first = agent(storage);
        var second = agent(storage);
        ExecutorService callers = Executors.newVirtualThreadPerTaskExecutor()) {
      first.seed();
      List<Future<Set<String>>> results =
          IntStream.range(0, 200)
              .mapToObj(i -> callers.submit(() -> work(i % 2 == 0 ? first : second)))
              .toList();
      Set<String> ids = new HashSet<>();
      for (Future<Set<String>> result : results) {
        ids.addAll(result.get());
      }
      assertThat(ids).hasSize(2000);
      assertThat(storage.fake.imageCount()).isEqualTo(2001);
    }
  }

  private static Set<String> work(ServerUnderTest server) {
    Set<String> ids = new HashSet<>();
    try (var client = client(server)) {
      for (int i = 0; i < 10; i++) {
        String id = client.createVirtualDisk("fast", disk(), null).imageId();
        client.getImageStatus("fast", id, StatusQuery.NOW);
        ids.add(id);
      }
    }
    return ids;
  }

  @Test
  void wrongAddressesAreRefusedAtOnce() {
    for (String address : List.of("host:1", "https://h:1", "http://h:1/x", "http://h:70000")) {
      assertThatThrownBy(() -> new StorageClient(List.of(URI.create(address))).close())
          .isInstanceOf(StorageException.class);
    }
    assertThatThrownBy(() -> new StorageClient(List.of()).close())
        .isInstanceOf(StorageException.class);
  }

  private static URI uri(ServerSocket socket) {
    return URI.create("http://127.0.0.1:" + socket.getLocalPort());
  }

  private static URI freePort() throws IOException {
    try (var socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return uri(socket);
    }
  }

  private static void hold(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
