package io.quarry.it.transfer;

import io.quarry.common.api.ErrorBody;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.Json;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;

/** Plain HTTP, as any client would use it. */
final class Raw implements AutoCloseable {
  private final HttpClient http = HttpClient.newHttpClient();

  HttpResponse<byte[]> get(URI agent, String path, String... headers) throws Exception {
    return http.send(request(agent, path, headers), BodyHandlers.ofByteArray());
  }

  HttpResponse<byte[]> put(URI agent, String path, byte[] body, String... headers)
      throws Exception {
    HttpRequest.Builder put =
        HttpRequest.newBuilder(URI.create(agent + path))
            .header("Content-Type", "application/octet-stream")
            .PUT(BodyPublishers.ofByteArray(body));
    return http.send(
        (headers.length == 0 ? put : put.headers(headers)).build(), BodyHandlers.ofByteArray());
  }

  /** Returns when the head of the answer is there. */
  HttpResponse<InputStream> stream(URI agent, String path, String... headers) throws Exception {
    return http.send(request(agent, path, headers), BodyHandlers.ofInputStream());
  }

  private static HttpRequest request(URI agent, String path, String... headers) {
    HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(agent + path)).GET();
    return (headers.length == 0 ? request : request.headers(headers)).build();
  }

  static ErrorCode error(HttpResponse<byte[]> response) throws IOException {
    return Json.MAPPER.readValue(response.body(), ErrorBody.class).code();
  }

  static String header(HttpResponse<?> response, String name) {
    return response.headers().firstValue(name).orElse("");
  }

  @Override
  public void close() {
    http.close();
  }
}
