package io.quarry.agent.server;

import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import io.quarry.agent.call.FakeStorage;
import io.quarry.common.api.ConnectRequest;
import io.quarry.common.api.CreateVirtualDiskRequest;
import io.quarry.common.api.ImageOptions;
import io.quarry.common.api.Json;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/** A server on a free port around a storage in memory, and a plain client to talk to it. */
final class ServerUnderTest implements AutoCloseable {
  final WatchedStorage storage;
  final AtomicReference<Health> health = new AtomicReference<>(new Health(true, Map.of()));
  final PrometheusMeterRegistry metrics = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
  final ApiServer server;
  private final HttpClient http = HttpClient.newHttpClient();

  ServerUnderTest() {
    this(new WatchedStorage(), ServerLimits.DEFAULT, body -> body);
  }

  ServerUnderTest(WatchedStorage storage, ServerLimits limits, UnaryOperator<byte[]> submit) {
    this.storage = storage;
    this.server =
        ApiServer.start(
            new ApiServer.Settings("127.0.0.1", 0, limits, Set.of("host-1.example")),
            new ApiServer.Parts(storage.api(), health::get, submit, metrics));
  }

  /** Connects a repository named fast with one more disk that is whole, and gives the disk's id. */
  String seed() {
    FakeStorage fake = storage.fake;
    synchronized (fake) {
      fake.connectStorageRepository(
          new ConnectRequest("fast", "localfs-1.0", Map.of("path", "/srv/quarry")));
      String disk =
          fake.createVirtualDisk(
                  "fast",
                  new CreateVirtualDiskRequest(
                      1 << 20, null, Json.MAPPER.createObjectNode(), ImageOptions.DEFAULT),
                  null)
              .imageId();
      fake.settle();
      return disk;
    }
  }

  HttpResponse<String> get(String path) {
    return send("GET", path, null, Map.of());
  }

  HttpResponse<String> post(String path, String body) {
    return send("POST", path, body, Map.of());
  }

  HttpResponse<String> send(
      String method, String path, @Nullable String body, Map<String, String> headers) {
    HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(server.uri() + path));
    boolean changes = method.equals("POST") || method.equals("PUT");
    if ((body != null || changes) && !headers.containsKey("Content-Type")) {
      request.header("Content-Type", "application/json");
    }
    headers.forEach(request::header);
    request.method(method, body == null ? BodyPublishers.noBody() : BodyPublishers.ofString(body));
    try {
      return http.send(request.build(), BodyHandlers.ofString());
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(method + " " + path, e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }

  @Override
  public void close() {
    server.close();
    http.close();
  }
}
