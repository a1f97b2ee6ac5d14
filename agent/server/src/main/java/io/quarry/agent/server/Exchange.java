package io.quarry.agent.server;

import io.quarry.agent.server.TransferPlaces.Place;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.ImageData;
import io.vertx.core.Context;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpConnection;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpServerResponse;
import java.io.ByteArrayOutputStream;
import java.io.InputStream;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One request and its response. All methods run on the connection's event loop, except the work,
 * which has a virtual thread.
 */
final class Exchange {
  /** So much of a body that is too large is read and dropped, to let the caller see the answer. */
  private static final long DROPPED_BYTES_MAX = 16 << 20;

  /** Logs each refusal: the integration tests compare the refusals with the contract. */
  private static final Logger LOG = LoggerFactory.getLogger("io.quarry.refusals");

  private final Shared shared;
  private final HttpServerRequest request;
  private final String operation;
  private final long startedNanos = System.nanoTime();

  /** What all exchanges of a server share. */
  record Shared(
      Vertx vertx,
      ServerLimits limits,
      Executor workers,
      HttpMetrics metrics,
      Admission calls,
      Admission waits,
      TransferPlaces transfers,
      Admission streams) {}

  /**
   * @param operation the operation's name in metrics and logs
   */
  Exchange(Shared shared, HttpServerRequest request, String operation) {
    this.shared = shared;
    this.request = request;
    this.operation = operation;
  }

  /** Runs the work on a virtual thread and sends its answer. */
  void work(@Nullable Admission admission, Supplier<Answer> work) {
    if (admission != null && !admission.enter()) {
      send(unavailable(admission));
      return;
    }
    Runnable leave = admission == null ? () -> {} : admission::leave;
    Context loop = shared.vertx().getOrCreateContext();
    begin(
        () -> {
          Answer answer = answer(work);
          loop.runOnContext(_ -> send(answer, leave));
        },
        leave);
  }

  /** Starts work on a virtual thread; a server that is closing starts no more work. */
  void begin(Runnable work, Runnable leave) {
    try {
      shared.workers().execute(work);
    } catch (RejectedExecutionException e) {
      send(unavailable(shared.calls()), leave);
    }
  }

  /** Runs work on a virtual thread whose answer is an image's bytes or a refusal. */
  void download(Supplier<Answer> work) {
    Place place = place();
    if (place == null) {
      return;
    }
    Context loop = shared.vertx().getOrCreateContext();
    begin(
        () -> {
          Answer answer = answer(work);
          if (answer.stream() == null) {
            loop.runOnContext(_ -> send(answer, place::leave));
          } else {
            stream(loop, answer, answer.stream(), place);
            loop.runOnContext(_ -> finish(answer, place::leave));
          }
        },
        place::leave);
  }

  /** Null when no place was free; then the caller has its answer already. */
  private @Nullable Place place() {
    Place place = shared.transfers().enter();
    if (place == null) {
      send(unavailable(shared.transfers().admission()));
      return null;
    }
    HttpConnection connection = request.connection();
    place.onBreakOff(connection::close);
    return place;
  }

  /** Stays on the virtual thread, which reads ahead while the event loop writes. */
  private void stream(Context loop, Answer answer, ImageData data, Place place) {
    StreamedBody body = new StreamedBody(loop, request, shared.limits().idleTimeout(), place);
    loop.runOnContext(_ -> head(answer));
    body.send(data, operation);
  }

  private Answer answer(Supplier<Answer> work) {
    try {
      return work.get();
    } catch (Throwable e) {
      return Answer.error(e, operation);
    }
  }

  /**
   * Runs the work on the request's body as it arrives, and sends the answer. Bytes that the work
   * did not read are dropped.
   */
  void upload(Function<InputStream, Answer> work) {
    Place place = place();
    if (place == null) {
      return;
    }
    Context loop = shared.vertx().getOrCreateContext();
    var bytes = new RequestBytes(request, loop, shared.limits().bodyTimeout(), place);
    begin(
        () -> {
          Answer answer = answer(() -> work.apply(bytes));
          loop.runOnContext(_ -> {
            bytes.drop();
            send(answer, place::leave);
          });
        },
        place::leave);
  }

  /** Collects the request's body, within its limits, and passes the body to {@code next}. */
  void body(Consumer<byte[]> next) {
    String length = request.getHeader("Content-Length");
    if (length == null && request.getHeader("Transfer-Encoding") == null) {
      next.accept(new byte[0]);
      return;
    }
    long timer =
        shared
            .vertx()
            .setTimer(shared.limits().bodyTimeout().toMillis(), _ -> request.connection().close());
    ByteArrayOutputStream collected = new ByteArrayOutputStream();
    long[] received = {0};
    int max = shared.limits().bodyBytesMax();
    request.handler(chunk -> {
      boolean fitted = received[0] <= max;
      received[0] += chunk.length();
      if (received[0] <= max) {
        collected.writeBytes(chunk.getBytes());
      } else if (fitted) {
        send(tooLarge(max));
      } else if (received[0] > DROPPED_BYTES_MAX) {
        request.connection().close();
      }
    });
    request.exceptionHandler(_ -> shared.vertx().cancelTimer(timer));
    request.endHandler(_ -> {
      shared.vertx().cancelTimer(timer);
      if (received[0] <= max) {
        next.accept(collected.toByteArray());
      }
    });
  }

  void send(Answer answer) {
    send(answer, () -> {});
  }

  private void send(Answer answer, Runnable leave) {
    HttpServerResponse response = request.response();
    if (response.closed()) {
      finish(answer, leave);
      return;
    }
    head(answer);
    if (onlyHead()) {
      response.putHeader("Content-Length", Integer.toString(answer.body().length));
      response.end().onComplete(_ -> finish(answer, leave));
      return;
    }
    response.end(Buffer.buffer(answer.body())).onComplete(_ -> finish(answer, leave));
  }

  private boolean onlyHead() {
    return HttpMethod.HEAD.equals(request.method());
  }

  private void head(Answer answer) {
    HttpServerResponse response = request.response();
    response.setStatusCode(answer.status());
    ImageData stream = answer.stream();
    if (stream != null) {
      response.putHeader("Content-Length", Long.toString(stream.length()));
    }
    if (stream != null || answer.body().length > 0) {
      response.putHeader("Content-Type", answer.contentType());
    }
    for (Answer.Header header : answer.headers()) {
      response.putHeader(header.name(), header.value());
    }
    if (shared.calls().stopping()) {
      response.putHeader("Connection", "close");
    }
  }

  private void finish(Answer answer, Runnable leave) {
    leave.run();
    if (answer.refusal() != null) {
      LOG.debug("{} {}", operation, answer.refusal());
    }
    shared.metrics().record(operation, answer.status(), System.nanoTime() - startedNanos);
  }

  static Answer unavailable(Admission admission) {
    return Answer.error(
        ErrorCode.AGENT_UNAVAILABLE,
        admission.stopping()
            ? "This agent is stopping."
            : "This agent has too many calls to answer.",
        "agent",
        "Repeat the call after a pause, or ask another agent.");
  }

  private static Answer tooLarge(int max) {
    return Answer.error(
        ErrorCode.PAYLOAD_TOO_LARGE,
        "The request body is larger than " + max + " bytes.",
        Contract.BODY,
        "Send a smaller one.");
  }
}
