package io.quarry.common.client;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.quarry.common.client.JsonHttp.Outcome;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Reads answers from a server that sends exactly these bytes. */
@Timeout(30)
final class JsonHttpTest {
  private static final JsonHttp.Request REQUEST = new JsonHttp.Request("GET", "/", null, null);

  /** The server gives each connection one answer, cut into pieces, and closes it. */
  private static Outcome answered(String... pieces) throws Exception {
    try (var server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
        var http = new JsonHttp();
        ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      var served = threads.submit(() -> serve(server, List.of(pieces)));
      URI agent = URI.create("http://127.0.0.1:" + server.getLocalPort());
      Outcome outcome = http.send(agent, REQUEST, Duration.ofSeconds(10));
      assertThat(served.get()).isTrue();
      return outcome;
    }
  }

  private static boolean serve(ServerSocket server, List<String> pieces) throws IOException {
    try (Socket socket = server.accept()) {
      socket.setTcpNoDelay(true);
      StringBuilder request = new StringBuilder();
      while (request.indexOf("\r\n\r\n") < 0) {
        request.append((char) socket.getInputStream().read());
      }
      for (String piece : pieces) {
        socket.getOutputStream().write(piece.getBytes(UTF_8));
        socket.getOutputStream().flush();
      }
      return request.toString().startsWith("GET / HTTP/1.1\r\nHost: 127.0.0.1:");
    }
  }

  private static void assertBody(Outcome outcome, int status, String body) {
    assertThat(outcome)
        .isInstanceOfSatisfying(
            Outcome.Answered.class,
            answer -> {
              assertThat(answer.status()).isEqualTo(status);
              assertThat(new String(answer.body(), UTF_8)).isEqualTo(body);
            });
  }

  @Test
  void answersAreReadInAnyPieces() throws Exception {
    String answer = "HTTP/1.1 200 OK\r\ncontent-LENGTH: 5\r\nX: y\r\n\r\nhello";
    assertBody(answered(answer), 200, "hello");
    assertBody(answered(answer.split("")), 200, "hello");
    String large = "x".repeat(100_000);
    String head = "HTTP/1.1 404 Not Found\r\nContent-Length: 100000\r\n\r\n";
    assertBody(answered(head + large), 404, large);
  }

  @Test
  void chunksAreJoined() throws Exception {
    String head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    String body = "3\r\nhel\r\n2;x=y\r\nlo\r\n0\r\nTrailer: t\r\n\r\n";
    assertBody(answered(head, body), 200, "hello");
    assertBody(answered((head + body).split("")), 200, "hello");
  }

  @Test
  void interimAnswersArePassedOver() throws Exception {
    String interim = "HTTP/1.1 100 Continue\r\n\r\n";
    assertBody(answered(interim + "HTTP/1.1 204 No Content\r\n\r\n"), 204, "");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "HTTP/1.1",
        "HTTP/1.1 200 OK\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell",
        "HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        "HTTP/1.1 200 OK\r\n\r\n",
        "SSH-2.0-OpenSSH\r\n\r\n"
      })
  void whatIsNoWholeAnswerLeavesTheOutcomeUnknown(String answer) throws Exception {
    assertThat(answered(answer)).isInstanceOf(Outcome.Unknown.class);
  }

  /** Case 12.24: connections of forwarded calls stayed open until the next call, if one came. */
  @Test
  void idleConnectionIsClosed() throws Exception {
    try (var server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
        var http = new JsonHttp("", Duration.ofMillis(100));
        ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      var closed =
          threads.submit(() -> {
            try (Socket socket = server.accept()) {
              StringBuilder request = new StringBuilder();
              while (request.indexOf("\r\n\r\n") < 0) {
                request.append((char) socket.getInputStream().read());
              }
              socket
                  .getOutputStream()
                  .write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n".getBytes(UTF_8));
              return socket.getInputStream().read();
            }
          });
      URI agent = URI.create("http://127.0.0.1:" + server.getLocalPort());
      assertBody(http.send(agent, REQUEST, Duration.ofSeconds(10)), 200, "");
      assertThat(closed.get()).isEqualTo(-1);
    }
  }

  @Test
  void forwardedCallSaysWhoForwardsIt() throws Exception {
    try (var server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
        var http = JsonHttp.forwarding("host-7");
        ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      var head =
          threads.submit(() -> {
            try (Socket socket = server.accept()) {
              StringBuilder request = new StringBuilder();
              while (request.indexOf("\r\n\r\n") < 0) {
                request.append((char) socket.getInputStream().read());
              }
              return request.toString();
            }
          });
      URI agent = URI.create("http://127.0.0.1:" + server.getLocalPort());
      assertThat(http.send(agent, REQUEST, Duration.ofSeconds(10)))
          .isInstanceOf(Outcome.Unknown.class);
      assertThat(head.get()).contains("\r\nQuarry-Forwarded-By: host-7\r\n");
    }
  }
}
