package io.quarry.agent.server;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import io.quarry.common.client.StorageClient;
import java.net.InetAddress;
import java.net.Socket;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.slf4j.LoggerFactory;

/** Case 12.24: a web page could make a browser drain and fence hosts. On real sockets. */
final class WebPagesTest {
  private static final String JSON = "Content-Type: application/json\r\n";

  private static ServerUnderTest server = new ServerUnderTest();

  @BeforeAll
  static void seed() {
    server.seed();
  }

  @AfterAll
  static void stop() {
    server.close();
  }

  /** The answer, and the verbs that were called meanwhile. */
  private record Exchanged(String answer, List<String> verbs) {}

  private static Exchanged exchange(String method, String path, String headers) throws Exception {
    return exchange(server, method, path, headers);
  }

  private static Exchanged exchange(
      ServerUnderTest server, String method, String path, String headers) throws Exception {
    List<String> verbs = new ArrayList<>();
    server.storage.before(verbs::add);
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), server.server.port())) {
      String head = method + " " + path + " HTTP/1.1\r\nConnection: close\r\n" + headers + "\r\n";
      socket.getOutputStream().write(head.getBytes(ISO_8859_1));
      return new Exchanged(
          new String(socket.getInputStream().readAllBytes(), ISO_8859_1), List.copyOf(verbs));
    } finally {
      server.storage.before(verb -> {});
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          localhost:7070           |                                        | 204
          127.0.0.1                |                                        | 204
          192.0.2.7:80             |                                        | 204
          [2001:db8::7]:7070       |                                        | 204
          [fe80::1%eth0]:7070      |                                        | 204
          [fe80::1%25eth0]         |                                        | 204
          localhost.               |                                        | 204
          localhost.:7070          |                                        | 204
          host-1.example.          |                                        | 204
          host-1.example.:7070     | Origin: http://host-1.example.:7070    | 204
          host-1.example           |                                        | 204
          HOST-1.Example:7070      |                                        | 204
          host-1.example:7070      | Origin: http://host-1.example:7070     | 204
          host-1.example           | Origin: https://host-1.example         | 204
          localhost:7070           | Sec-Fetch-Site: same-origin            | 204
          localhost:7070           | Sec-Fetch-Site: none                   | 204
          evil.example             |                                        | 403
          evil.example:7070        | Origin: http://evil.example:7070       | 403
          127.0.0.1.evil.example   |                                        | 403
          evil.example.            |                                        | 403
          localhost..              |                                        | 403
          [fe80::1%a]b]            |                                        | 400
          [%eth0]                  |                                        | 400
          localhost.evil.example   |                                        | 403
          host-1.example.evil.com  |                                        | 403
          localhost:7070           | Origin: http://evil.example            | 403
          localhost:7070           | Origin: http://localhost:8080          | 403
          localhost:7070           | Origin: null                           | 403
          localhost:7070           | Origin:                                | 403
          localhost:7070           | Sec-Fetch-Site: cross-site             | 403
          localhost:7070           | Sec-Fetch-Site: same-site              | 403
          a b                      |                                        | 400
          user@localhost           |                                        | 400
          localhost/x              |                                        | 400
          """)
  void changingCallIsAnsweredForItsOwnPagesAlone(String host, String header, int status)
      throws Exception {
    String headers = "Host: " + host + "\r\n" + JSON + (header == null ? "" : header + "\r\n");
    Exchanged exchanged = exchange("POST", "/v1/hosts/host-9/fence", headers);
    assertThat(exchanged.answer()).startsWith("HTTP/1.1 " + status + " ");
    assertThat(exchanged.verbs()).hasSize(status == 204 ? 1 : 0);
    if (status == 403) {
      assertThat(exchanged.answer()).contains("\"code\":\"FOREIGN_REQUEST\"", "\"remedy\":");
    }
  }

  /**
   * After an upgrade the log shows an operator the refused names, and no caller can fill the log.
   */
  @Test
  void unknownNameIsLoggedOnceAndSomeNamesAtMost() throws Exception {
    Logger logger = (Logger) LoggerFactory.getLogger(WebPages.class);
    ListAppender<ILoggingEvent> logged = new ListAppender<>();
    logged.start();
    logger.addAppender(logged);
    try (var own = new ServerUnderTest()) {
      for (String port : List.of("", ":1", ":2")) {
        exchange(own, "GET", "/v1/hosts", "Host: once.example" + port + "\r\n");
      }
      assertThat(logged.list)
          .filteredOn(event -> event.getFormattedMessage().contains("once.example"))
          .hasSize(1);
      for (int i = 0; i < 100; i++) {
        exchange(own, "GET", "/v1/hosts", "Host: some-" + i + ".example\r\n");
      }
      assertThat(logged.list).hasSize(64);
    } finally {
      logger.detachAppender(logged);
    }
  }

  @Test
  void secondHostIsRefused() throws Exception {
    Exchanged exchanged = exchange("GET", "/v1/hosts", "Host: localhost\r\nHost: evil.example\r\n");
    assertThat(exchanged.answer()).startsWith("HTTP/1.1 400 ");
    assertThat(exchanged.verbs()).isEmpty();
  }

  static Stream<Operation> changing() {
    return Contract.operations().stream().filter(operation -> !operation.method().equals("GET"));
  }

  @ParameterizedTest
  @MethodSource("changing")
  void everyChangingVerbIsGuarded(Operation operation) throws Exception {
    String path = operation.path().replaceAll("\\{.*?}", "x");
    for (String foreign :
        List.of(
            "Host: evil.example\r\n",
            "Host: localhost\r\nOrigin: http://evil.example\r\n",
            "Host: localhost\r\nSec-Fetch-Site: cross-site\r\n")) {
      Exchanged exchanged = exchange(operation.method(), path, foreign + JSON);
      assertThat(exchanged.answer()).contains(" 403 ", "FOREIGN_REQUEST");
      assertThat(exchanged.verbs()).isEmpty();
    }
    if (!operation.method().equals("DELETE")) {
      // A page's form can send these; a page with the agent's own name is still a foreign page.
      String own = "Host: localhost\r\nOrigin: http://localhost\r\n";
      String form = "Content-Type: application/x-www-form-urlencoded\r\n";
      for (String headers : List.of(own, own + form, "Host: localhost\r\n" + form)) {
        Exchanged exchanged = exchange(operation.method(), path, headers);
        assertThat(exchanged.answer()).contains(" 400 ", "\"subject\":\"Content-Type\"");
        assertThat(exchanged.verbs()).isEmpty();
      }
    }
  }

  /**
   * Agents and clients of earlier versions do not send this header, and stay in a cluster during
   * its upgrade.
   */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
                                       | 204
          Content-Length: 0            | 204
          Sec-Fetch-Site: same-origin  | 204
          Sec-Fetch-Site: none         | 204
          Sec-Fetch-Site: cross-site   | 403
          Origin: http://evil.example  | 403
          Origin: null                 | 403
          Origin: http://localhost     | 400
          Content-Type: text/plain     | 400
          Content-Type:                | 400
          """)
  void emptyBodyNeedsNoTypeUnlessAPageSentIt(String header, int status) throws Exception {
    String headers = "Host: localhost\r\n" + (header == null ? "" : header + "\r\n");
    for (String path : List.of("/v1/hosts/host-9/fence", "/v1/hosts/host-1/drain")) {
      Exchanged exchanged = exchange("POST", path, headers);
      assertThat(exchanged.answer()).startsWith("HTTP/1.1 " + status + " ");
      assertThat(exchanged.verbs()).hasSize(status == 204 ? 1 : 0);
    }
  }

  @Test
  void bodyNeedsAType() throws Exception {
    String host = "Host: localhost\r\nContent-Length: 2\r\n\r\n{}";
    Exchanged exchanged = exchange("POST", "/v1/hosts/host-9/fence", host);
    assertThat(exchanged.answer()).contains(" 400 ", "\"subject\":\"Content-Type\"");
    assertThat(exchanged.verbs()).isEmpty();
  }

  /** A page that points its own name at this agent's address must not read images either. */
  @Test
  void readingIsGuardedAgainstForeignNames() throws Exception {
    for (String path : List.of("/v1/hosts", "/v1/events", "/v1/repositories")) {
      assertThat(exchange("GET", path, "Host: evil.example\r\n").answer()).contains(" 403 ");
    }
    String submit = "/internal/v1/submit";
    assertThat(exchange("POST", submit, "Host: evil.example\r\n").answer()).contains(" 403 ");
    assertThat(exchange("GET", "/health", "Host: any.example\r\n").answer()).contains(" 200 ");
  }

  @Test
  void clientSendsWhatIsAskedFor() {
    try (var client = new StorageClient(List.of(server.server.uri()))) {
      client.fenceHost("host-9");
      client.setThrottle(1);
      assertThat(client.restoreImage("fast", server.seed(), null).commit()).isPositive();
    }
  }
}
