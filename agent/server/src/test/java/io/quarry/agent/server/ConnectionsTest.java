package io.quarry.agent.server;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Case 12.24: connections that stay open, on real sockets. */
@Timeout(60)
final class ConnectionsTest {
  private static final Duration SOON = Duration.ofMillis(400);
  private static final int EVENT_LOOPS_MAX = 4;
  private static final Duration LONG = Duration.ofSeconds(50);
  private static final String HEALTH = "GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n";

  private static ServerUnderTest server(int connectionsMax, Duration keepAlive) {
    return new ServerUnderTest(
        new WatchedStorage(),
        new ServerLimits(
            connectionsMax, 99, 99, 99, 1 << 20, LONG, LONG, keepAlive, LONG, LONG, LONG),
        body -> body);
  }

  /** A caller that reads the answers of one connection in their order. */
  private record Caller(Socket socket) implements AutoCloseable {
    static Caller of(ServerUnderTest server) throws IOException {
      return new Caller(new Socket(InetAddress.getLoopbackAddress(), server.server.port()));
    }

    void send(String text) throws IOException {
      socket.getOutputStream().write(text.getBytes(ISO_8859_1));
    }

    /** The status line and the body. */
    String answer(boolean hasBody) throws IOException {
      InputStream input = socket.getInputStream();
      StringBuilder head = new StringBuilder();
      while (head.indexOf("\r\n\r\n") < 0) {
        int next = input.read();
        if (next < 0) {
          throw new EOFException(head.toString());
        }
        head.append((char) next);
      }
      int length =
          head.toString()
              .lines()
              .map(line -> line.toLowerCase(java.util.Locale.ROOT))
              .filter(line -> line.startsWith("content-length: "))
              .mapToInt(line -> Integer.parseInt(line.substring("content-length: ".length())))
              .findAny()
              .orElse(0);
      String body = hasBody ? new String(input.readNBytes(length), ISO_8859_1) : "";
      return head.toString().lines().findFirst().orElseThrow() + " " + body;
    }

    boolean closed() throws IOException {
      try {
        return socket.getInputStream().read() < 0;
      } catch (SocketException e) {
        return true;
      }
    }

    @Override
    public void close() throws IOException {
      socket.close();
    }
  }

  @Test
  void pipelinedRequestsAreAnsweredInOrder() throws Exception {
    try (var server = server(99, LONG);
        var caller = Caller.of(server)) {
      String disk = server.seed();
      String image = "/v1/repositories/fast/images/" + disk;
      StringBuilder all = new StringBuilder();
      for (int i = 0; i < 50; i++) {
        String host = " HTTP/1.1\r\nHost: localhost\r\n";
        String body = "{\"n\": " + i + "}";
        all.append("GET /v1/repositories/none-" + i + host + "\r\n")
            .append("PUT " + image + "/user-data" + host)
            .append("Content-Type: application/json\r\nContent-Length: " + body.length())
            .append("\r\n\r\n" + body)
            .append("HEAD " + image + host + "\r\n")
            .append("GET " + image + host + "\r\n")
            .append("GET " + image + "/data" + host + "Range: bytes=0-9\r\n\r\n")
            .append("POST /v1/tasks/t-" + i + "/stop" + host)
            .append("Content-Type: text/plain\r\n\r\n");
      }
      caller.send(all.toString());
      for (int i = 0; i < 50; i++) {
        assertThat(caller.answer(true)).contains(" 404 ", "none-" + i + "\"");
        assertThat(caller.answer(true)).contains(" 200 ", "commit");
        assertThat(caller.answer(false)).contains(" 200 ");
        assertThat(caller.answer(true)).contains(" 200 ", disk);
        assertThat(caller.answer(true)).contains(" 206 ");
        assertThat(caller.answer(true)).contains(" 400 ", "Content-Type");
      }
    }
  }

  /** A caller that has closed its sending side, like `nc -N`, waits for the answers. */
  @ParameterizedTest
  @ValueSource(ints = {1, 3, 50})
  void callerThatClosedItsSideGetsAllAnswers(int requests) throws Exception {
    try (var server = server(99, LONG);
        var caller = Caller.of(server)) {
      CountDownLatch go = new CountDownLatch(1);
      server.storage.before(_ -> hold(go));
      StringBuilder all = new StringBuilder();
      for (int i = 0; i < requests; i++) {
        all.append("GET /v1/repositories/none-" + i + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
      }
      caller.send(all.toString());
      caller.socket().shutdownOutput();
      // By then each event loop has examined its connections again.
      for (int i = 0; i < EVENT_LOOPS_MAX; i++) {
        try (var other = Caller.of(server)) {
          other.send(HEALTH);
          assertThat(other.answer(true)).contains(" 200 ");
        }
      }
      go.countDown();
      for (int i = 0; i < requests; i++) {
        assertThat(caller.answer(true)).contains(" 404 ", "none-" + i + "\"");
      }
      assertThat(caller.closed()).isTrue();
    }
  }

  @Test
  void halfARequestIsNotWaitedForWhenItsCallerIsGone() throws Exception {
    try (var server = server(99, LONG);
        var caller = Caller.of(server);
        var idle = Caller.of(server)) {
      caller.send(
          "POST /v1/tasks/t-1/stop HTTP/1.1\r\nHost: localhost\r\n"
              + "Content-Type: application/json\r\nContent-Length: 20\r\n\r\n{");
      caller.socket().shutdownOutput();
      idle.socket().shutdownOutput();
      assertThat(caller.closed()).isTrue();
      assertThat(idle.closed()).isTrue();
    }
  }

  @Test
  void keptConnectionIsClosedThatSendsNoWholeRequest() throws Exception {
    try (var server = server(99, SOON);
        var silent = Caller.of(server);
        var slow = Caller.of(server)) {
      silent.send(HEALTH);
      slow.send(HEALTH);
      assertThat(silent.answer(true)).contains(" 200 ");
      assertThat(slow.answer(true)).contains(" 200 ");
      assertThat(silent.closed()).isTrue();
      // More bytes do not keep the connection open, only a whole request does.
      await()
          .until(() -> {
            try {
              slow.send("G");
              return false;
            } catch (SocketException e) {
              return true;
            }
          });
    }
  }

  @Test
  void connectionIsKeptForAsLongAsItIsUsed() throws Exception {
    var go = new CountDownLatch(1);
    try (var server = server(99, SOON);
        var busy = Caller.of(server);
        var idle = Caller.of(server)) {
      server.storage.before(verb -> hold(go));
      busy.send("GET /v1/hosts HTTP/1.1\r\nHost: localhost\r\n\r\n");
      idle.send(HEALTH);
      assertThat(idle.answer(true)).contains(" 200 ");
      assertThat(idle.closed()).isTrue();
      go.countDown();
      assertThat(busy.answer(true)).contains(" 200 ");
    }
  }

  /** The connections that have waited longest are closed. */
  @Test
  void connectionsAreLimited() throws Exception {
    int max = 16;
    List<Caller> callers = new ArrayList<>();
    try (var server = server(max, LONG)) {
      for (int i = 0; i < 3 * max; i++) {
        Caller caller = Caller.of(server);
        callers.add(caller);
        caller.send(HEALTH);
        assertThat(caller.answer(true)).contains(" 200 ");
      }
      List<Caller> rest = callers.subList(0, 2 * max);
      for (Caller caller : rest) {
        assertThat(caller.closed()).isTrue();
      }
      Caller newest = callers.getLast();
      newest.send(HEALTH);
      assertThat(newest.answer(true)).contains(" 200 ");
    } finally {
      for (Caller caller : callers) {
        caller.close();
      }
    }
  }

  @Test
  void busyConnectionsMakeNoWay() throws Exception {
    int max = 16;
    var go = new CountDownLatch(1);
    var entered = new CountDownLatch(max);
    List<Caller> busy = new ArrayList<>();
    try (var server = server(max, LONG)) {
      server.storage.before(verb -> {
        entered.countDown();
        hold(go);
      });
      for (int i = 0; i < max; i++) {
        Caller caller = Caller.of(server);
        busy.add(caller);
        caller.send("GET /v1/hosts HTTP/1.1\r\nHost: localhost\r\n\r\n");
      }
      entered.await();
      try (var late = Caller.of(server)) {
        assertThat(late.closed()).isTrue();
      }
      go.countDown();
      for (Caller caller : busy) {
        assertThat(caller.answer(true)).contains(" 200 ");
      }
    } finally {
      for (Caller caller : busy) {
        caller.close();
      }
    }
  }

  private static void hold(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** A caller that does not read the answer to its request. */
  private static Caller stuck(ServerUnderTest server, String path) throws IOException {
    Caller caller = Caller.of(server);
    caller.socket().setReceiveBufferSize(4096);
    caller.send("GET " + path + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
    return caller;
  }

  private static double transfers(ServerUnderTest server) {
    return server.metrics.get("quarry.http.transfers").gauge().value();
  }

  /** Requests the first bytes and returns the status. */
  private static int beginning(ServerUnderTest server, String path) {
    return server.send("GET", path, null, Map.of("Range", "bytes=0-99")).statusCode();
  }

  private static String largeImage(ServerUnderTest server) throws IOException {
    server.seed();
    String created =
        server.post("/v1/repositories/fast/virtual-disks", "{\"size\": 67108864}").body();
    String id = io.quarry.common.api.Json.MAPPER.readTree(created).path("imageId").asText();
    return "/v1/repositories/fast/images/" + id + "/data";
  }

  @Test
  void slowCallersMakeWayForOthers() throws Exception {
    ServerLimits limits =
        new ServerLimits(
            99, 99, 99, 99, 1 << 20, LONG, LONG, LONG, LONG, LONG, Duration.ofMillis(1));
    List<Caller> slow = new ArrayList<>();
    try (var server = new ServerUnderTest(new WatchedStorage(), limits, body -> body)) {
      String path = largeImage(server);
      for (int i = 0; i < ServerLimits.TRANSFERS_IN_FLIGHT_MAX; i++) {
        slow.add(stuck(server, path));
      }
      await().until(() -> transfers(server) == ServerLimits.TRANSFERS_IN_FLIGHT_MAX);
      for (int i = 0; i < 4; i++) {
        await().atMost(LONG).until(() -> beginning(server, path) == 206);
      }
      assertThat(transfers(server)).isLessThanOrEqualTo(ServerLimits.TRANSFERS_IN_FLIGHT_MAX);
    } finally {
      for (Caller caller : slow) {
        caller.close();
      }
    }
  }

  @Test
  void callersThatAreNotSlowKeepTheirPlaces() throws Exception {
    List<Caller> callers = new ArrayList<>();
    try (var server = server(99, LONG)) {
      String path = largeImage(server);
      for (int i : IntStream.range(0, ServerLimits.TRANSFERS_IN_FLIGHT_MAX).toArray()) {
        callers.add(stuck(server, path));
        await().until(() -> transfers(server) == i + 1);
      }
      // This server's grace for slow callers is long.
      assertThat(beginning(server, path)).isEqualTo(503);
      for (Caller caller : callers) {
        assertThat(caller.answer(false)).contains(" 200 ");
      }
    } finally {
      for (Caller caller : callers) {
        caller.close();
      }
    }
  }
}
