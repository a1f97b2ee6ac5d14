package io.quarry.agent.server;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.joran.JoranConfigurator;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import io.quarry.agent.AgentMain;
import java.net.InetAddress;
import java.net.Socket;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.slf4j.LoggerFactory;

/** Case 12.24: 500 bad requests wrote 1 MB of stack traces to the log. */
@Timeout(60)
final class NoisyInputTest {
  private static final String DATA = "/v1/repositories/fast/images/disk-1/data";

  private static final List<String> BAD =
      List.of(
          "GET /%zz HTTP/1.1",
          "GET /v1/%zz HTTP/1.1",
          "GET /v1/repositories/%ff%fe/images HTTP/1.1",
          "GET /v1/repositories/fast/images?%zz=%&after=%u HTTP/1.1",
          "GET /v1/repositories/fast/images?limit=99999999999999999999999 HTTP/1.1",
          "GET http://[bad/ HTTP/1.1",
          "GET //[x HTTP/1.1",
          "GET \\ HTTP/1.1",
          "GET ? HTTP/1.1",
          "GET v1 HTTP/1.1",
          "GET /v1/a|b{c}^ HTTP/1.1",
          "GET /\u00ff\u00fe HTTP/1.1",
          "GET / HTTP/9.9",
          "OPTIONS * HTTP/1.1",
          "CONNECT a:1 HTTP/1.1",
          "PRI * HTTP/2.0",
          "\u0000\u0001\u0002",
          "GET " + DATA + " HTTP/1.1\r\nRange: bytes=9-1",
          "GET " + DATA + " HTTP/1.1\r\nRange: lines=1-2",
          "GET " + DATA + " HTTP/1.1\r\nIf-Match: nothing",
          "GET /v1/events HTTP/1.1\r\nLast-Event-ID: ..",
          "POST /v1/repositories HTTP/1.1\r\nContent-Length: abc",
          "POST /v1/repositories HTTP/1.1\r\nContent-Length: -5",
          "POST /v1/repositories HTTP/1.1\r\nContent-Type: application/json\r\n"
              + "Transfer-Encoding: chunked\r\n\r\nxyz",
          "POST /v1/repositories HTTP/1.1\r\nTransfer-Encoding: foo",
          "GET /health HTTP/1.1\r\nbad header",
          "GET /health HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket",
          "GET /health HTTP/1.1\r\nHost: a b[",
          "GET /health HTTP/1.1\r\nExpect: nothing");

  /** Requests whose callers disconnect half-way. */
  private static final List<String> CUT_OFF =
      List.of(
          "GET /v1/repos",
          "GET " + DATA + " HTTP/1.1\r\nHost: localhost\r\n\r\n",
          "PUT "
              + DATA
              + "?uploadId=upload-1 HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n"
              + "Content-Range: bytes 0-999/1048576\r\n\r\nabc",
          "POST /v1/repositories HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\nabc",
          "GET /v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n",
          "GET /v1/repositories HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(500));

  @Test
  void badInputLeavesNoStackTraces() throws Exception {
    LoggerContext production = new LoggerContext();
    JoranConfigurator configurator = new JoranConfigurator();
    configurator.setContext(production);
    configurator.doConfigure(requireNonNull(AgentMain.class.getResource("/logback.xml")));
    Logger root = (Logger) LoggerFactory.getLogger(Logger.ROOT_LOGGER_NAME);
    ListAppender<ILoggingEvent> events = new ListAppender<>();
    events.start();
    root.addAppender(events);
    try (var server = new ServerUnderTest()) {
      server.post("/v1/repositories/fast/images/" + server.seed() + "/uploads", "{}");
      for (String request : BAD) {
        exchange(server.server.port(), request);
      }
      for (String request : CUT_OFF) {
        reset(server.server.port(), request);
      }
      assertThat(server.get("/v1/repositories").statusCode()).isEqualTo(200);
    } finally {
      root.detachAppender(events);
    }
    assertThat(List.copyOf(events.list))
        .filteredOn(
            event -> production.getLogger(event.getLoggerName()).isEnabledFor(event.getLevel()))
        .allSatisfy(event -> assertThat(event.getThrowableProxy()).as("%s", event).isNull());
  }

  private static void reset(int port, String request) throws Exception {
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
      socket.setSoLinger(true, 0);
      socket.getOutputStream().write(request.getBytes(ISO_8859_1));
      if (request.startsWith("GET " + DATA)) {
        var _ = socket.getInputStream().read();
      }
    }
  }

  /** Sends the request, and reads until the server has answered and closed the connection. */
  private static void exchange(int port, String request) throws Exception {
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
      String head = request.contains("HTTP/1.1\r\n") ? request : request + "\r\nHost: localhost";
      String text = head.contains("\r\n\r\n") ? head : head + "\r\nConnection: close";
      socket.getOutputStream().write((text + "\r\n\r\n").getBytes(ISO_8859_1));
      socket.shutdownOutput();
      var _ = socket.getInputStream().readAllBytes();
    } catch (java.net.SocketException e) {
      // The server may close the connection before it has read the whole request.
      assertThat(e).isInstanceOf(java.net.SocketException.class);
    }
  }
}
