package io.quarry.common.client;

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectReader;
import io.quarry.common.api.Event;
import io.quarry.common.api.Json;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** Server-sent events on one connection to one agent. */
final class EventConnection implements AutoCloseable {
  /** An agent sends something every five seconds; the client gives up an agent that does not. */
  private static final Duration SILENCE_MAX = Duration.ofSeconds(20);

  private static final int LINE_BYTES_MAX = 16 << 20;

  /** An agent of a newer version may send fields that this client does not know. */
  private static final ObjectReader READER =
      Json.MAPPER
          .readerFor(Event.class)
          .without(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
          .without(DeserializationFeature.FAIL_ON_INVALID_SUBTYPE);

  private final URI agent;
  private final HttpConnection connection;
  private byte[] piece = new byte[0];
  private int position;

  private EventConnection(URI agent, HttpConnection connection) {
    this.agent = agent;
    this.connection = connection;
  }

  /**
   * @throws IOException when the agent does not answer
   * @throws io.quarry.common.api.StorageException for an agent's error
   */
  static EventConnection open(URI agent, @Nullable String since, Duration timeout)
      throws IOException {
    long deadline = System.nanoTime() + timeout.toNanos();
    String path = Target.of("/v1/events").with("since", since).toString();
    HttpConnection connection =
        JsonHttp.begin(agent, new JsonHttp.Request("GET", path, null, null), deadline);
    try {
      JsonHttp.Outcome.Answered refusal = connection.readStreamHead(deadline);
      if (refusal != null) {
        throw Failover.error(agent, refusal.status(), refusal.body());
      }
      return new EventConnection(agent, connection);
    } catch (IOException | RuntimeException e) {
      connection.close();
      throw e;
    }
  }

  /** Returns the next event; null for a kind that this client does not know. */
  @Nullable Event next() throws IOException {
    String id = null;
    String name = "";
    StringBuilder data = new StringBuilder();
    while (true) {
      String line = line();
      if (line.isEmpty() && !data.isEmpty()) {
        break;
      }
      if (line.startsWith("id: ")) {
        id = line.substring("id: ".length());
      } else if (line.startsWith("event: ")) {
        name = line.substring("event: ".length());
      } else if (line.startsWith("data: ")) {
        data.append(line, "data: ".length(), line.length());
      }
    }
    if (name.equals("end")) {
      throw new IOException("the agent has ended the stream: " + data);
    }
    Event event = READER.readValue(data.toString());
    return event == null ? null : event.with(id);
  }

  private String line() throws IOException {
    ByteArrayOutputStream line = new ByteArrayOutputStream();
    while (true) {
      if (position == piece.length) {
        piece = connection.readPiece(System.nanoTime() + SILENCE_MAX.toNanos());
        position = 0;
        if (piece.length == 0) {
          throw new IOException(agent + " has ended the stream");
        }
      }
      int end = position;
      while (end < piece.length && piece[end] != '\n') {
        end++;
      }
      line.write(piece, position, end - position);
      if (line.size() > LINE_BYTES_MAX) {
        throw new IOException("an event of more than " + LINE_BYTES_MAX + " bytes");
      }
      position = end;
      if (end < piece.length) {
        position++;
        return line.toString(StandardCharsets.UTF_8);
      }
    }
  }

  @Override
  public void close() {
    connection.close();
  }
}
