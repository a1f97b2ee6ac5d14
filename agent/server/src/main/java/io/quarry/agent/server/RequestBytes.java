package io.quarry.agent.server;

import io.quarry.agent.server.TransferPlaces.Place;
import io.vertx.core.Context;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServerRequest;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A request's body as a stream for a thread that may block. The reading thread slows the caller
 * down to its own speed: only a few network buffers are held.
 */
final class RequestBytes extends InputStream {
  /** The largest network buffer; each buffer is handed from thread to thread. */
  static final int BUFFER_BYTES = 64 << 10;

  private static final int BUFFERS_MAX = 8;

  /** So many buffers are requested at once, while others still wait to be read. */
  private static final int BUFFERS_ASKED = BUFFERS_MAX / 2;

  /** An event that the event loop hands over. */
  private sealed interface Event {
    record Bytes(Buffer buffer) implements Event {}

    record End() implements Event {}

    record Failure(String why) implements Event {}
  }

  private final HttpServerRequest request;
  private final Context loop;
  private final Duration patience;
  private final BlockingQueue<Event> events = new LinkedBlockingQueue<>();
  private final Place place;
  private Event current = new Event.Bytes(Buffer.buffer());
  private int position;
  private int taken;

  /**
   * Called on the request's event loop, before the loop handles any data of the request.
   *
   * @param patience for a caller that sends nothing
   * @param place told how long the caller lets the transfer wait, and for how many bytes
   */
  RequestBytes(HttpServerRequest request, Context loop, Duration patience, Place place) {
    this.request = request;
    this.loop = loop;
    this.patience = patience;
    this.place = place;
    request.pause();
    request.handler(buffer -> events.add(new Event.Bytes(buffer)));
    request.endHandler(_ -> events.add(new Event.End()));
    request.exceptionHandler(e -> events.add(new Event.Failure(String.valueOf(e.getMessage()))));
    request.fetch(BUFFERS_MAX);
  }

  /** Call this on the event loop: no thread reads any more, and later data is dropped. */
  void drop() {
    if (!request.isEnded()) {
      request.handler(_ -> {});
      request.resume();
    }
  }

  @Override
  public int read() throws IOException {
    byte[] one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
  }

  @Override
  public int read(byte[] into, int offset, int length) throws IOException {
    Objects.checkFromIndexSize(offset, length, into.length);
    while (true) {
      switch (current) {
        case Event.End() -> {
          return -1;
        }
        case Event.Failure(String why) -> throw new IOException("the caller is gone: " + why);
        case Event.Bytes(Buffer buffer) -> {
          int count = Math.min(length, buffer.length() - position);
          if (count > 0 || length == 0) {
            buffer.getBytes(position, position + count, into, offset);
            position += count;
            return count;
          }
        }
      }
      next();
    }
  }

  private void next() throws IOException {
    try {
      Event event = awaited();
      current =
          event == null
              ? new Event.Failure("it sent nothing for " + patience.toSeconds() + " s")
              : event;
      position = 0;
      if (event instanceof Event.Bytes && ++taken % BUFFERS_ASKED == 0) {
        loop.runOnContext(_ -> request.fetch(BUFFERS_ASKED));
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("the agent stops", e);
    }
  }

  /** Null when the caller sends no data. */
  private @Nullable Event awaited() throws InterruptedException {
    place.waits();
    Event event = events.poll(patience.toMillis(), TimeUnit.MILLISECONDS);
    place.moved(event instanceof Event.Bytes(Buffer buffer) ? buffer.length() : 0);
    return event;
  }
}
