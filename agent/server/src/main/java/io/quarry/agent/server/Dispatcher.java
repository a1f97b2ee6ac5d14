package io.quarry.agent.server;

import static java.util.Objects.requireNonNull;

import io.quarry.agent.call.CurrentCall;
import io.quarry.agent.server.Exchange.Shared;
import io.quarry.common.api.CreatedImage;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.EventStream;
import io.quarry.common.api.ImageData;
import io.quarry.common.api.StorageApi;
import io.quarry.common.api.StorageException;
import io.quarry.common.client.JsonHttp;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServerRequest;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * Finds the operation that a request asks for. The dispatcher runs on event loops; the work of the
 * operation does not.
 */
final class Dispatcher {
  private static final String SUBMIT = "/internal/v1/submit";

  private final RouteTree routes;
  private final StorageApi api;
  private final UnaryOperator<byte[]> submit;
  private final Pages pages;
  private final WebPages webPages;
  private final Shared shared;

  Dispatcher(
      StorageApi api, UnaryOperator<byte[]> submit, Pages pages, WebPages webPages, Shared shared) {
    this.routes = new RouteTree(Contract.operations());
    this.api = api;
    this.submit = submit;
    this.pages = pages;
    this.webPages = webPages;
    this.shared = shared;
  }

  void handle(HttpServerRequest request) {
    String path = request.path() == null ? "" : request.path();
    // HEAD gets the answer of GET without the body.
    String method = HttpMethod.HEAD.equals(request.method()) ? "GET" : request.method().name();
    if (pages.has(path)) {
      page(request, method, path);
      return;
    }
    StorageException foreign = webPages.refusal(request);
    if (foreign != null) {
      String name =
          routes.find(method, path) instanceof RouteTree.Match.Found found
              ? found.operation().id()
              : "none";
      new Exchange(shared, request, name).send(Answer.error(foreign, name));
    } else if (path.startsWith("/v1/")) {
      switch (routes.find(method, path)) {
        case RouteTree.Match.Found(Operation operation, List<String> values) ->
            call(request, operation, values);
        case RouteTree.Match.WrongMethod(List<String> allowed) ->
            wrongMethod(request, path, allowed);
        case RouteTree.Match.NoSuchPath() -> noSuchPath(request, path);
      }
    } else if (path.equals(SUBMIT)) {
      submit(request, method, path);
    } else {
      noSuchPath(request, path);
    }
  }

  private void call(HttpServerRequest request, Operation operation, List<String> values) {
    Exchange exchange = new Exchange(shared, request, operation.id());
    if (operation.streams()) {
      stream(request, operation);
      return;
    }
    String query = request.query();
    boolean waits = query != null && query.contains("wait=");
    if (operation.data() && operation.method().equals("PUT")) {
      Requests.Raw raw = raw(operation, request, values, query, new byte[0]);
      exchange.upload(bytes -> answer(operation, raw, bytes));
      return;
    }
    exchange.body(body -> {
      Requests.Raw raw = raw(operation, request, values, query, body);
      Supplier<Answer> work = () -> answer(operation, raw, InputStream.nullInputStream());
      if (operation.data()) {
        exchange.download(work);
      } else {
        exchange.work(waits ? shared.waits() : shared.calls(), work);
      }
    });
  }

  private void stream(HttpServerRequest request, Operation operation) {
    Requests.Raw raw = raw(operation, request, List.of(), request.query(), new byte[0]);
    new EventExchange(shared, request, operation.id())
        .run(() -> {
          Call call = Requests.check(operation, raw, InputStream.nullInputStream());
          return (EventStream) requireNonNull(Handlers.answer(operation.id(), api, call));
        });
  }

  private static Requests.Raw raw(
      Operation operation,
      HttpServerRequest request,
      List<String> values,
      @Nullable String query,
      byte[] body) {
    Map<String, String> headers = new HashMap<>();
    for (String name : operation.headers().keySet()) {
      String value = request.getHeader(name);
      if (value != null) {
        headers.put(name, value);
      }
    }
    return new Requests.Raw(
        values,
        query,
        headers,
        request.getHeader(Contract.REQUEST_ID),
        request.getHeader("Content-Type"),
        request.headers().contains("Origin"),
        request.getHeader(JsonHttp.FORWARDED_BY),
        request.getHeader(JsonHttp.CALL_DIGEST),
        body);
  }

  private Answer answer(Operation operation, Requests.Raw raw, InputStream bytes) {
    Call call = Requests.check(operation, raw, bytes);
    Object value;
    try {
      value =
          new CurrentCall(digest(raw, call), raw.forwardedBy())
              .<@Nullable Object>serve(() -> Handlers.answer(operation.id(), api, call));
    } catch (StorageException e) {
      return refusal(operation, call, e);
    }
    if (value == null) {
      return Answer.empty(operation.status());
    }
    if (value instanceof ImageData data) {
      return Answer.stream(data);
    }
    Answer answer = Answer.json(operation.status(), value);
    return value instanceof CreatedImage image
        ? answer.with(
            "Location", "/v1/repositories/" + call.repoId() + "/images/" + image.imageId())
        : answer;
  }

  /** The digest that an agent sends when it passes a call on, or the digest of this call. */
  private static @Nullable String digest(Requests.Raw raw, Call call) {
    String given = raw.forwardedBy() == null ? null : raw.callDigest();
    return given == null ? call.digest() : CallDigest.forwarded(given);
  }

  /** By RFC 9110, a caller that asks for bytes behind the end learns where the end is. */
  private Answer refusal(Operation operation, Call call, StorageException why) {
    Answer answer = Answer.error(why, operation.id());
    if (why.code() != ErrorCode.RANGE_NOT_SATISFIABLE || call.header("Range") == null) {
      return answer;
    }
    long size = api.getImage(call.repoId(), call.imageId(), 0).size();
    return answer.with("Content-Range", "bytes */" + size);
  }

  private void submit(HttpServerRequest request, String method, String path) {
    if (!method.equals("POST")) {
      wrongMethod(request, path, List.of("POST"));
      return;
    }
    Exchange exchange = new Exchange(shared, request, "submit");
    exchange.body(
        body -> exchange.work(shared.calls(), () -> Answer.of(Answer.JSON, submit.apply(body))));
  }

  private void page(HttpServerRequest request, String method, String path) {
    if (!method.equals("GET")) {
      wrongMethod(request, path, List.of("GET"));
      return;
    }
    // Not counted as a call: health and metrics must answer even on a busy server.
    new Exchange(shared, request, "page").work(null, () -> pages.answer(path));
  }

  private void wrongMethod(HttpServerRequest request, String path, List<String> allowed) {
    String methods = String.join(", ", allowed);
    new Exchange(shared, request, "none")
        .send(
            Answer.error(
                    ErrorCode.METHOD_NOT_ALLOWED,
                    SchemaCheck.shortened(path) + " does not take " + request.method().name() + ".",
                    SchemaCheck.shortened(path),
                    "Use " + methods + ".")
                .with("Allow", methods));
  }

  private void noSuchPath(HttpServerRequest request, String path) {
    new Exchange(shared, request, "none")
        .send(
            Answer.error(
                ErrorCode.NOT_FOUND,
                "There is no " + SchemaCheck.shortened(path) + ".",
                SchemaCheck.shortened(path),
                "See /v1/openapi.yaml for what there is."));
  }

  /**
   * Handles requests that the HTTP decoder could not read: headers too long, a broken request line.
   */
  void handleUnreadable(HttpServerRequest request) {
    Throwable cause = request.decoderResult().cause();
    String problem =
        cause == null ? "" : ": " + SchemaCheck.shortened(String.valueOf(cause.getMessage()));
    Answer answer =
        Answer.error(
            ErrorCode.INVALID_ARGUMENT,
            "This is not an HTTP request that can be read" + problem + ".",
            "request",
            "Keep the request line within "
                + ServerLimits.REQUEST_LINE_BYTES_MAX
                + " and the headers within "
                + ServerLimits.HEADER_BYTES_MAX
                + " bytes.");
    request
        .response()
        .setStatusCode(answer.status())
        .putHeader("Content-Type", answer.contentType())
        .putHeader("Connection", "close")
        .end(new String(answer.body(), StandardCharsets.UTF_8))
        .onComplete(_ -> request.connection().close());
  }
}
