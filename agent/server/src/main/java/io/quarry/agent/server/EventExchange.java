package io.quarry.agent.server;

import com.fasterxml.jackson.core.JsonProcessingException;
import io.quarry.agent.server.Exchange.Shared;
import io.quarry.common.api.Event;
import io.quarry.common.api.EventStream;
import io.quarry.common.api.Json;
import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpServerResponse;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A response of server-sent events that has no fixed end. A virtual thread waits for events and
 * hands each piece to the event loop. The thread hands over the next piece only when the connection
 * has taken the last one. So no events pile up for a slow watcher. A watcher that reads nothing is
 * dropped, and can continue after its last event.
 */
final class EventExchange {
  private static final Logger LOG = LoggerFactory.getLogger(EventExchange.class);
  private static final String CONTENT_TYPE = "text/event-stream";

  /** The time between two checks whether the watcher is still connected. */
  private static final Duration ROUND = Duration.ofSeconds(1);

  /** The size of one piece; a single event can be larger. */
  private static final int PIECE_CHARS_MAX = 64 << 10;

  private final Shared shared;
  private final HttpServerRequest request;
  private final HttpServerResponse response;
  private final String operation;
  private final long startedNanos = System.nanoTime();
  private volatile boolean gone;

  EventExchange(Shared shared, HttpServerRequest request, String operation) {
    this.shared = shared;
    this.request = request;
    this.response = request.response();
    this.operation = operation;
  }

  /** The event loop only begins the exchange. */
  void run(Supplier<EventStream> open) {
    Admission streams = shared.streams();
    if (!streams.enter()) {
      new Exchange(shared, request, operation).send(Exchange.unavailable(streams));
      return;
    }
    response.closeHandler(_ -> gone = true);
    response.exceptionHandler(_ -> gone = true);
    Context loop = shared.vertx().getOrCreateContext();
    new Exchange(shared, request, operation)
        .begin(
            () -> {
              try {
                serve(loop, open);
              } finally {
                streams.leave();
              }
            },
            streams::leave);
  }

  private void serve(Context loop, Supplier<EventStream> open) {
    EventStream stream;
    try {
      stream = open.get();
    } catch (RuntimeException e) {
      Answer refusal = Answer.error(e, operation);
      loop.runOnContext(_ -> new Exchange(shared, request, operation).send(refusal));
      return;
    }
    try (stream) {
      on(
          loop,
          () -> {
            response.setChunked(true).putHeader("Content-Type", CONTENT_TYPE);
            return response.putHeader("Cache-Control", "no-store").writeHead();
          });
      pass(stream, loop);
    } catch (TimeoutException e) {
      LOG.warn(
          "Dropping a watcher of events at {}: it has taken nothing for {} s",
          request.remoteAddress(),
          shared.limits().slowReaderTimeout().toSeconds());
      loop.runOnContext(_ -> request.connection().close());
    } catch (IOException e) {
      LOG.debug("A watcher of events at {} is gone: {}", request.remoteAddress(), e.toString());
    } catch (InterruptedException e) {
      loop.runOnContext(_ -> request.connection().close());
    } finally {
      shared.metrics().record(operation, 200, System.nanoTime() - startedNanos);
    }
  }

  private void pass(EventStream stream, Context loop)
      throws IOException, InterruptedException, TimeoutException {
    long lastSent = System.nanoTime();
    while (!gone && !shared.calls().stopping()) {
      StringBuilder piece = new StringBuilder();
      try {
        Event event = stream.next(ROUND);
        while (event != null) {
          append(piece, event);
          event = piece.length() < PIECE_CHARS_MAX ? stream.next(Duration.ZERO) : null;
        }
      } catch (RuntimeException e) {
        end(loop, piece, Answer.error(e, operation));
        return;
      }
      if (Thread.interrupted()) {
        throw new InterruptedException();
      }
      if (piece.isEmpty() && System.nanoTime() - lastSent > ServerLimits.HEARTBEAT.toNanos()) {
        piece.append(":\n\n");
      }
      if (!piece.isEmpty()) {
        on(loop, () -> response.write(Buffer.buffer(piece.toString())));
        lastSent = System.nanoTime();
      }
    }
    if (!gone) {
      Answer stopping = Exchange.unavailable(shared.streams());
      end(loop, new StringBuilder(), stopping);
    }
  }

  private static void append(StringBuilder piece, Event event) {
    if (event.eventId() != null) {
      piece.append("id: ").append(event.eventId()).append('\n');
    }
    try {
      String data = Json.MAPPER.writeValueAsString(event.with(null));
      piece.append("data: ").append(data).append("\n\n");
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("an event cannot be written as JSON", e);
    }
  }

  /** Sends the error in the form that other calls use. */
  private void end(Context loop, StringBuilder piece, Answer error)
      throws IOException, InterruptedException, TimeoutException {
    piece
        .append("event: end\ndata: ")
        .append(new String(error.body(), java.nio.charset.StandardCharsets.UTF_8))
        .append("\n\n");
    on(loop, () -> response.end(Buffer.buffer(piece.toString())));
  }

  /** Returns when the connection has taken the piece. */
  private void on(Context loop, Supplier<Future<Void>> action)
      throws IOException, InterruptedException, TimeoutException {
    CompletableFuture<Void> taken = new CompletableFuture<>();
    loop.runOnContext(_ -> {
      if (response.closed()) {
        taken.completeExceptionally(new IOException("the connection is closed"));
        return;
      }
      action.get().onSuccess(taken::complete).onFailure(taken::completeExceptionally);
    });
    try {
      taken.get(shared.limits().slowReaderTimeout().toMillis(), TimeUnit.MILLISECONDS);
    } catch (ExecutionException e) {
      throw new IOException(e.getCause());
    }
  }
}
