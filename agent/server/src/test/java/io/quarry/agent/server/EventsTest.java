package io.quarry.agent.server;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.quarry.agent.call.FakeStorage;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.Event;
import io.quarry.common.api.EventStream;
import io.quarry.common.api.StorageException;
import io.quarry.common.client.StorageClient;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
final class EventsTest {
  private static final Duration PATIENCE = Duration.ofSeconds(20);
  private static final Duration SOON = Duration.ofMillis(500);

  private static ServerUnderTest server(int streamsMax) {
    ServerLimits limits =
        new ServerLimits(
            99,
            9,
            9,
            streamsMax,
            1 << 20,
            Duration.ofSeconds(9),
            Duration.ofSeconds(9),
            Duration.ofSeconds(9),
            Duration.ofSeconds(99),
            SOON,
            SOON);
    return new ServerUnderTest(new WatchedStorage(), limits, body -> body);
  }

  private static StorageClient client(ServerUnderTest... servers) {
    return new StorageClient(
        java.util.Arrays.stream(servers).map(server -> server.server.uri()).toList());
  }

  private static Event next(EventStream events) {
    return requireNonNull(events.next(PATIENCE));
  }

  private static long commit(Event event) {
    return ((Event.Commit) event).commit();
  }

  @Test
  void eventsArriveAsTheyHappen() {
    try (var server = server(9);
        var client = client(server);
        EventStream events = client.watchEvents(null)) {
      assertThat(next(events)).isEqualTo(new Event.Start("0"));
      assertThat(events.next(Duration.ofMillis(10))).isNull();
      server.storage.events.set(2);
      Event.Commit first = (Event.Commit) next(events);
      assertThat(first.eventId()).isEqualTo("1");
      assertThat(first.repoId()).isEqualTo("fast");
      assertThat(first.time()).isEqualTo(FakeStorage.NOON);
      assertThat(first.operations()).hasSize(1);
      assertThat(commit(next(events))).isEqualTo(2);
    }
  }

  @Test
  void anotherAgentGoesOnAfterTheLastEvent() {
    try (var first = server(9);
        var second = server(9);
        var client = client(first, second);
        EventStream events = client.watchEvents("0")) {
      first.storage.events.set(300);
      second.storage.events.set(500);
      assertThat(next(events)).isInstanceOf(Event.Start.class);
      for (long expected = 1; expected <= 100; expected++) {
        assertThat(commit(next(events))).isEqualTo(expected);
      }
      first.server.close();
      for (long expected = 101; expected <= 500; expected++) {
        assertThat(commit(next(events))).isEqualTo(expected);
      }
    }
  }

  @Test
  void eventsAreServerSentEvents() throws Exception {
    try (var server = server(9);
        Socket socket = ask(server, "GET /v1/events?since=7 HTTP/1.1\r\nHost: localhost\r\n\r\n")) {
      server.storage.events.set(8);
      List<String> lines = untilLine(socket, "id: 8");
      assertThat(lines).contains("Content-Type: text/event-stream", "id: 7");
      assertThat(lines).contains("data: {\"type\":\"start\"}");
    }
    try (var server = server(9);
        Socket socket =
            ask(
                server,
                "GET /v1/events?since=7 HTTP/1.1\r\nHost: localhost\r\nLast-Event-ID: 3\r\n\r\n")) {
      server.storage.events.set(8);
      assertThat(untilLine(socket, "id: 4")).contains("id: 3");
    }
  }

  @Test
  void quietStreamSaysThatItIsAlive() throws Exception {
    try (var server = server(9);
        Socket socket = ask(server, "GET /v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n")) {
      assertThat(untilLine(socket, ":")).contains("id: 0");
    }
  }

  /** The watcher reads nothing: the server keeps no unsent events, and closes the connection. */
  @Test
  void slowReaderIsDropped() throws Exception {
    try (var server = server(9);
        Socket socket = ask(server, "GET /v1/events?since=0 HTTP/1.1\r\nHost: localhost\r\n\r\n")) {
      AtomicLong events = server.storage.events;
      await().atMost(PATIENCE).until(() -> server.get("/metrics").body().contains("streams 1.0"));
      events.set(Long.MAX_VALUE);
      await().atMost(PATIENCE).until(() -> server.get("/metrics").body().contains("streams 0.0"));
      assertThat(socket.isClosed()).isFalse();
    }
  }

  @Test
  void watcherThatIsGoneIsForgotten() throws Exception {
    try (var server = server(9)) {
      try (Socket socket = ask(server, "GET /v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n")) {
        untilLine(socket, "id: 0");
      }
      await().atMost(PATIENCE).until(() -> server.get("/metrics").body().contains("streams 0.0"));
    }
  }

  @Test
  void tooManyWatchersAreRefused() throws Exception {
    try (var server = server(1);
        Socket socket = ask(server, "GET /v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n")) {
      untilLine(socket, "id: 0");
      var refused = server.send("GET", "/v1/events", null, Map.of());
      assertThat(refused.statusCode()).isEqualTo(503);
      assertThat(refused.body()).contains("AGENT_UNAVAILABLE");
      assertThat(server.get("/v1/hosts").statusCode()).isEqualTo(200);
    }
  }

  @Test
  void stoppingServerEndsItsStreamsAtOnce() throws Exception {
    try (var server = server(9);
        Socket socket = ask(server, "GET /v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n")) {
      untilLine(socket, "id: 0");
      long begun = System.nanoTime();
      server.server.close();
      assertThat(Duration.ofNanos(System.nanoTime() - begun)).isLessThan(ApiServer.STOP_DEADLINE);
      assertThat(untilLine(socket, null)).isNotNull();
    }
  }

  @Test
  void refusalsComeInTheirUsualForm() {
    try (var server = server(9);
        var client = client(server)) {
      assertThatThrownBy(() -> client.watchEvents("nonsense"))
          .isInstanceOfSatisfying(
              StorageException.class,
              refusal -> assertThat(refusal.code()).isEqualTo(ErrorCode.INVALID_ARGUMENT));
      assertThat(server.get("/v1/events?since=a%20b").statusCode()).isEqualTo(400);
      assertThat(server.get("/v1/events?colour=red").statusCode()).isEqualTo(400);
    }
  }

  private static Socket ask(ServerUnderTest server, String request) throws IOException {
    URI uri = server.server.uri();
    Socket socket = new Socket(InetAddress.getByName(uri.getHost()), uri.getPort());
    socket.setSoTimeout((int) PATIENCE.toMillis());
    socket.getOutputStream().write(request.getBytes(StandardCharsets.US_ASCII));
    return socket;
  }

  /** The lines up to that one; null reads to the end. */
  private static List<String> untilLine(Socket socket, @Nullable String last) throws IOException {
    var reader =
        new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.UTF_8));
    List<String> lines = new java.util.ArrayList<>();
    String line;
    do {
      line = reader.readLine();
      assertThat(line != null || last == null).as("%s, after %s", last, lines).isTrue();
      lines.add(String.valueOf(line));
    } while (line != null && !line.equals(last));
    return lines;
  }
}
