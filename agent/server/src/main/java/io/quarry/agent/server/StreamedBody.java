package io.quarry.agent.server;

import io.quarry.agent.server.TransferPlaces.Place;
import io.quarry.common.api.ImageData;
import io.quarry.common.api.StorageException;
import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpServerResponse;
import java.io.EOFException;
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
 * Sends a long body piece by piece from a thread that may block. One piece is on its way while the
 * next is read. So a caller that reads slowly slows down the reading, and holds two pieces of
 * memory. After the head was sent, only a broken connection can report a failure.
 */
final class StreamedBody {
  static final int PIECE_BYTES = 256 << 10;

  private static final Logger LOG = LoggerFactory.getLogger(StreamedBody.class);

  private final Context loop;
  private final HttpServerRequest request;
  private final Duration patience;
  private final Place place;

  /**
   * @param patience for a caller that reads nothing
   * @param place told how long the caller lets the transfer wait, and for how many bytes
   */
  StreamedBody(Context loop, HttpServerRequest request, Duration patience, Place place) {
    this.loop = loop;
    this.request = request;
    this.patience = patience;
    this.place = place;
  }

  /** Sends the body and closes it; the head must have been set before on the same event loop. */
  void send(ImageData data, String what) {
    try (data) {
      pieces(data);
    } catch (IOException | StorageException e) {
      LOG.info("{} broke off: {}", what, e.toString());
      breakOff();
    } catch (RuntimeException e) {
      LOG.error("{} failed", what, e);
      breakOff();
    }
  }

  private void pieces(ImageData data) throws IOException {
    HttpServerResponse response = request.response();
    if (HttpMethod.HEAD.equals(request.method())) {
      await(onLoop(response::end));
      return;
    }
    CompletableFuture<Void> sent = CompletableFuture.completedFuture(null);
    long left = data.length();
    int sending = 0;
    while (left > 0) {
      byte[] bytes = new byte[(int) Math.min(PIECE_BYTES, left)];
      if (data.content().readNBytes(bytes, 0, bytes.length) < bytes.length) {
        throw new EOFException("the image ended before its last " + left + " bytes");
      }
      left -= bytes.length;
      awaitTaken(sent, sending);
      sending = bytes.length;
      Buffer piece = Buffer.buffer(bytes);
      boolean last = left == 0;
      sent = onLoop(() -> last ? response.end(piece) : response.write(piece));
    }
    awaitTaken(sent, sending);
  }

  private void awaitTaken(CompletableFuture<Void> sent, int bytes) throws IOException {
    place.waits();
    await(sent);
    place.moved(bytes);
  }

  private CompletableFuture<Void> onLoop(Supplier<Future<Void>> write) {
    CompletableFuture<Void> done = new CompletableFuture<>();
    loop.runOnContext(_ -> {
      if (request.response().closed()) {
        done.completeExceptionally(new IOException("the caller is gone"));
        return;
      }
      write
          .get()
          .onComplete(result -> {
            if (result.succeeded()) {
              done.complete(null);
            } else {
              done.completeExceptionally(result.cause());
            }
          });
    });
    return done;
  }

  private void await(CompletableFuture<Void> sent) throws IOException {
    try {
      sent.get(patience.toMillis(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException e) {
      throw new IOException("the caller read nothing for " + patience.toSeconds() + " s", e);
    } catch (ExecutionException e) {
      throw new IOException("the caller is gone: " + e.getMessage(), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("the agent stops", e);
    }
  }

  private void breakOff() {
    loop.runOnContext(_ -> request.connection().close());
  }
}
