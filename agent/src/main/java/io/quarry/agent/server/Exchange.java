package io.quarry.agent.server;

import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.ImageData;
import io.vertx.core.Context;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpServerResponse;
import java.io.ByteArrayOutputStream;
import java.io.InputStream;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * One request and its response. Everything here runs on the connection's event loop, except the
 * work, which has a virtual thread.
 */
final class Exchange {
  /** Of a body that is too large, so much is read and dropped to let the caller see the answer. */
  private static final long DROPPED_BYTES_MAX = 16 << 20;

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
      Admission transfers,
      Admission streams) {}

  /**
   * @param operation its name in metrics and logs
   */
  Exchange(Shared shared, HttpServerRequest request, String operation) {
    this.shared = shared;
    this.request = request;
    this.operation = operation;
  }

  /** Runs the work on a virtual thread and sends its answer. */
  void work(@Nullable Admission admission, Supplier<Answer> work) {
    if (admission != null && !admission.enter()) {
      send(unavailable(admission), null);
      return;
    }
    Context loop = shared.vertx().getOrCreateContext();
    shared
        .workers()
        .execute(() -> {
          Answer answer = answer(work);
          if (answer.stream() == null) {
            loop.runOnContext(_ -> send(answer, admission));
          } else {
            stream(loop, answer, answer.stream());
            loop.runOnContext(_ -> finish(answer, admission));
          }
        });
  }

  /** Stays on the virtual thread: it reads ahead while the event loop writes. */
  private void stream(Context loop, Answer answer, ImageData data) {
    StreamedBody body = new StreamedBody(loop, request, shared.limits().idleTimeout());
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
   * Runs the work on the request's body, which is read as it comes, and sends the answer; what was
   * not read is dropped.
   */
  void workOnBytes(Admission admission, Function<InputStream, Answer> work) {
    Context loop = shared.vertx().getOrCreateContext();
    var bytes = new RequestBytes(request, loop, shared.limits().bodyTimeout());
    if (!admission.enter()) {
      bytes.drop();
      send(unavailable(admission), null);
      return;
    }
    shared
        .workers()
        .execute(() -> {
          Answer answer = answer(() -> work.apply(bytes));
          loop.runOnContext(_ -> {
            bytes.drop();
            send(answer, admission);
          });
        });
  }

  /** Collects the request's body, within its limits, and hands it on. */
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
        send(tooLarge(max), null);
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
    send(answer, null);
  }

  private void send(Answer answer, @Nullable Admission admission) {
    HttpServerResponse response = request.response();
    if (response.closed()) {
      finish(answer, admission);
      return;
    }
    head(answer);
    if (onlyHead()) {
      response.putHeader("Content-Length", Integer.toString(answer.body().length));
      response.end().onComplete(_ -> finish(answer, admission));
      return;
    }
    response.end(Buffer.buffer(answer.body())).onComplete(_ -> finish(answer, admission));
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

  private void finish(Answer answer, @Nullable Admission admission) {
    if (admission != null) {
      admission.leave();
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
