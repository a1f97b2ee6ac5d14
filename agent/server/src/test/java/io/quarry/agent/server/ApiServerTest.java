package io.quarry.agent.server;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.quarry.common.api.CreateVirtualDiskRequest;
import io.quarry.common.api.ErrorBody;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.ImageQuery;
import io.quarry.common.api.Json;
import io.quarry.common.api.RemoveImageOptions;
import io.quarry.common.api.StatusQuery;
import io.quarry.common.api.StorageException;
import io.quarry.common.model.ImageKind;
import io.quarry.common.model.ImageState;
import io.quarry.common.model.Strategy;
import io.quarry.common.model.Visibility;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
final class ApiServerTest {
  private static final String DISKS = "/v1/repositories/fast/virtual-disks";

  private static ErrorBody error(HttpResponse<String> response) throws IOException {
    return Json.MAPPER.readValue(response.body(), ErrorBody.class);
  }

  @Test
  void fieldsLeftOutGetTheContractsDefaults() {
    try (var server = new ServerUnderTest()) {
      server.seed();
      server.post(DISKS, "{\"size\": 512, \"options\": {\"autoFix\": false}}");
      var request = server.storage.last(CreateVirtualDiskRequest.class);
      assertThat(request.baseSnapshotId()).isNull();
      assertThat(request.userData()).isEmpty();
      assertThat(request.options().autoFix()).isFalse();
      assertThat(request.options().strategy()).isEqualTo(Strategy.SPACE);
      assertThat(request.options().participatingRepositories()).isNull();
      assertThat(request.options().imageHints()).isEmpty();
    }
  }

  @Test
  void userDataIsKeptAsItIs() {
    try (var server = new ServerUnderTest()) {
      server.seed();
      String userData =
          "{\"b\":1.10,\"a\":[12345678901234567890.123,1E+400,null],\"ü\":\"\\u0000\"}";
      server.post(DISKS, "{\"size\": 512, \"userData\": " + userData + "}");
      var request = server.storage.last(CreateVirtualDiskRequest.class);
      assertThat(request.userData().toString()).isEqualTo(userData);
    }
  }

  @Test
  void queriesReachTheApi() {
    try (var server = new ServerUnderTest()) {
      String disk = server.seed();
      server.get(
          "/v1/repositories/fast/images?kind=Snapshot&state=broken&visibility=removed&label=a%3Db%2Bc&after=x&limit=7&atLeast=1");
      assertThat(server.storage.last(ImageQuery.class))
          .isEqualTo(
              new ImageQuery(
                  ImageKind.SNAPSHOT, ImageState.BROKEN, Visibility.REMOVED, "a=b+c", "x", 7, 1));
      server.get("/v1/repositories/fast/images");
      assertThat(server.storage.last(ImageQuery.class)).isEqualTo(ImageQuery.ALL);
      String status = "/v1/repositories/fast/images/" + disk + "/status";
      server.get(status);
      assertThat(server.storage.last(StatusQuery.class)).isEqualTo(StatusQuery.NOW);
      server.get(status + "?wait=500ms&until=degraded&atLeast=3");
      assertThat(server.storage.last(StatusQuery.class))
          .isEqualTo(new StatusQuery(Duration.ofMillis(500), ImageState.DEGRADED, 3));
      server.get(status + "?wait=PT1M");
      assertThat(server.storage.last(StatusQuery.class))
          .isEqualTo(new StatusQuery(Duration.ofMinutes(1), ImageState.OPTIMIZED, 0));
    }
  }

  @Test
  void removalTakesOptionsFromEitherPlace() {
    try (var server = new ServerUnderTest()) {
      String path = "/v1/repositories/fast/images/";
      var wanted = new RemoveImageOptions(false, Duration.ofHours(1), true);
      server.send(
          "DELETE", path + server.seed() + "?autoFix=false&retain=PT1H&force=true", null, Map.of());
      assertThat(server.storage.last(RemoveImageOptions.class)).isEqualTo(wanted);
      String body = "{\"autoFix\": false, \"retain\": \"PT1H\", \"force\": true}";
      server.send("DELETE", path + server.seed(), body, Map.of());
      assertThat(server.storage.last(RemoveImageOptions.class)).isEqualTo(wanted);
      server.send("DELETE", path + server.seed(), null, Map.of());
      assertThat(server.storage.last(RemoveImageOptions.class))
          .isEqualTo(RemoveImageOptions.DEFAULT);
    }
  }

  @Test
  void defectIsHiddenBehindAnErrorId() throws IOException {
    try (var server = new ServerUnderTest()) {
      server.storage.before(verb -> {
        throw new IllegalStateException("secret");
      });
      HttpResponse<String> response = server.get("/v1/hosts");
      assertThat(response.statusCode()).isEqualTo(500);
      ErrorBody body = error(response);
      assertThat(body.code()).isEqualTo(ErrorCode.INTERNAL);
      assertThat(body.message()).contains("error id").doesNotContain("secret");
      assertThat(response.body()).doesNotContain("secret", "IllegalState");
    }
  }

  @Test
  void refusalsOfTheApiTravelAsTheyAre() throws IOException {
    try (var server = new ServerUnderTest()) {
      server.storage.before(verb -> {
        throw new StorageException(ErrorCode.NO_SPACE, "It is full.", "fast", "Clean it.");
      });
      HttpResponse<String> response = server.get("/v1/repositories");
      assertThat(response.statusCode()).isEqualTo(507);
      assertThat(error(response))
          .isEqualTo(new ErrorBody(ErrorCode.NO_SPACE, "It is full.", "fast", "Clean it."));
    }
  }

  @Test
  void healthFollowsTheSuppliedFunction() {
    try (var server = new ServerUnderTest()) {
      assertThat(server.get("/health").statusCode()).isEqualTo(200);
      assertThat(server.get("/health").body()).contains("\"status\":\"ok\"");
      server.health.set(new Health(false, Map.of("reason", "no ZooKeeper")));
      HttpResponse<String> response = server.get("/health");
      assertThat(response.statusCode()).isEqualTo(503);
      assertThat(response.body()).contains("no ZooKeeper", "unavailable");
    }
  }

  @Test
  void metricsCountOperationsAndShowWhatOthersAdd() {
    try (var server = new ServerUnderTest()) {
      server.metrics.counter("quarry.test").increment();
      server.get("/v1/hosts");
      server.get("/v1/repositories/none");
      await()
          .untilAsserted(() ->
              assertThat(server.get("/metrics").body())
                  .contains("quarry_test_total 1")
                  .contains("quarry_http_requests_seconds_bucket")
                  .contains("operation=\"listHosts\",status=\"200\"")
                  .contains("operation=\"getStorageRepository\",status=\"404\""));
    }
  }

  @Test
  void pageAndContractAreServed() {
    try (var server = new ServerUnderTest()) {
      assertThat(server.get("/").body()).contains("Quarry");
      assertThat(server.get("/v1/openapi.yaml").body()).startsWith("openapi: 3.1.0");
    }
  }

  @Test
  void submitHandsBytesThroughAndErrorsBack() throws IOException {
    var refusing = new CompletableFuture<StorageException>();
    try (var server =
        new ServerUnderTest(
            new WatchedStorage(),
            ServerLimits.DEFAULT,
            body -> {
              if (refusing.isDone()) {
                throw refusing.join();
              }
              return ("<" + new String(body, UTF_8) + ">").getBytes(UTF_8);
            })) {
      assertThat(server.post("/internal/v1/submit", "[1]").body()).isEqualTo("<[1]>");
      refusing.complete(new StorageException(ErrorCode.SDM_UNAVAILABLE, "m", "s", "r"));
      HttpResponse<String> response = server.post("/internal/v1/submit", "[1]");
      assertThat(response.statusCode()).isEqualTo(503);
      assertThat(error(response).code()).isEqualTo(ErrorCode.SDM_UNAVAILABLE);
    }
  }

  @Test
  void tooManyCallsAreRefusedAndHealthStillAnswers() throws Exception {
    var limits =
        new ServerLimits(
            99,
            2,
            2,
            2,
            1 << 20,
            Duration.ofSeconds(9),
            Duration.ofSeconds(9),
            Duration.ofSeconds(9),
            Duration.ofSeconds(99),
            Duration.ofSeconds(9),
            Duration.ofSeconds(9));
    var entered = new CountDownLatch(2);
    var go = new CountDownLatch(1);
    var storage = new WatchedStorage();
    storage.before(verb -> {
      entered.countDown();
      hold(go);
    });
    try (var server = new ServerUnderTest(storage, limits, body -> body);
        ExecutorService callers = Executors.newVirtualThreadPerTaskExecutor()) {
      Future<HttpResponse<String>> first = callers.submit(() -> server.get("/v1/hosts"));
      Future<HttpResponse<String>> second = callers.submit(() -> server.get("/v1/hosts"));
      entered.await();
      HttpResponse<String> third = server.get("/v1/hosts");
      assertThat(third.statusCode()).isEqualTo(503);
      assertThat(error(third).code()).isEqualTo(ErrorCode.AGENT_UNAVAILABLE);
      assertThat(server.get("/health").statusCode()).isEqualTo(200);
      go.countDown();
      assertThat(first.get().statusCode()).isEqualTo(200);
      assertThat(second.get().statusCode()).isEqualTo(200);
    }
  }

  @Test
  void stopLetsCallsInFlightFinish() throws Exception {
    var entered = new CountDownLatch(1);
    var go = new CountDownLatch(1);
    var storage = new WatchedStorage();
    storage.before(verb -> {
      entered.countDown();
      hold(go);
    });
    try (var server = new ServerUnderTest(storage, ServerLimits.DEFAULT, body -> body);
        ExecutorService callers = Executors.newVirtualThreadPerTaskExecutor()) {
      Future<HttpResponse<String>> call = callers.submit(() -> server.get("/v1/hosts"));
      entered.await();
      Future<?> stop = callers.submit(() -> server.server.close());
      await().until(() -> server.get("/health").statusCode() == 503);
      assertThat(error(server.get("/v1/hosts")).code()).isEqualTo(ErrorCode.AGENT_UNAVAILABLE);
      assertThat(stop.isDone()).isFalse();
      go.countDown();
      assertThat(call.get().statusCode()).isEqualTo(200);
      stop.get();
      assertThat(refused(server.server.port())).isTrue();
    }
  }

  @Test
  void stopCutsOffWhatDoesNotFinish() throws Exception {
    var entered = new CountDownLatch(1);
    var interrupted = new CompletableFuture<Boolean>();
    var storage = new WatchedStorage();
    storage.before(verb -> {
      entered.countDown();
      try {
        new CountDownLatch(1).await();
      } catch (InterruptedException e) {
        interrupted.complete(true);
      }
    });
    try (var server = new ServerUnderTest(storage, ServerLimits.DEFAULT, body -> body);
        ExecutorService callers = Executors.newVirtualThreadPerTaskExecutor()) {
      var _ = callers.submit(() -> server.get("/v1/hosts"));
      entered.await();
      server.server.close(Duration.ofMillis(100));
      assertThat(interrupted.join()).isTrue();
    }
  }

  @Test
  void silentConnectionIsClosed() throws Exception {
    var limits =
        new ServerLimits(
            99,
            9,
            9,
            9,
            1 << 20,
            Duration.ofMillis(200),
            Duration.ofMillis(200),
            Duration.ofSeconds(9),
            Duration.ofSeconds(99),
            Duration.ofSeconds(9),
            Duration.ofSeconds(9));
    try (var server = new ServerUnderTest(new WatchedStorage(), limits, body -> body)) {
      assertThat(untilClosed(server, "")).isEmpty();
      assertThat(untilClosed(server, "GET /health HTTP/1.1\r\nHost: h\r\nX-Slow: ")).isEmpty();
      String head =
          "POST /v1/repositories HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{";
      assertThat(untilClosed(server, head)).isEmpty();
    }
  }

  @Test
  void brokenRequestLineIsRefusedWithOurBody() throws Exception {
    try (var server = new ServerUnderTest()) {
      assertThat(untilClosed(server, "NONSENSE\r\n\r\n")).contains("400", "INVALID_ARGUMENT");
    }
  }

  /** Only prints the rate; {@link Throughput} measures more. */
  @Test
  void statusReadsPerSecond() throws Exception {
    try (var server = new ServerUnderTest()) {
      String path = "/v1/repositories/fast/images/" + server.seed() + "/status";
      long reads = Throughput.load(server, path, 8, Duration.ofSeconds(1));
      System.out.println(reads + " status reads in a second, on 8 connections, cold");
      assertThat(reads).isPositive();
    }
  }

  private static String untilClosed(ServerUnderTest server, String text) throws IOException {
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), server.server.port())) {
      OutputStream output = socket.getOutputStream();
      output.write(text.getBytes(UTF_8));
      InputStream input = socket.getInputStream();
      return new String(input.readAllBytes(), UTF_8);
    }
  }

  private static boolean refused(int port) throws IOException {
    try (Socket _ = new Socket(InetAddress.getLoopbackAddress(), port)) {
      return false;
    } catch (ConnectException e) {
      return true;
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
