package io.quarry.it.api;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.quarry.common.api.Json;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** The API as any program uses it: plain HTTP and JSON, without the client library. */
final class Http implements AutoCloseable {
  private final HttpClient http = HttpClient.newHttpClient();

  /**
   * @param body empty when the answer is no JSON
   */
  record Answer(int status, JsonNode body, HttpResponse<byte[]> raw) {
    String text(String field) {
      return body.required(field).asText();
    }

    long number(String field) {
      return body.required(field).asLong();
    }

    String header(String name) {
      return raw.headers().firstValue(name).orElse("");
    }
  }

  Answer get(URI agent, String path, String... headers) throws Exception {
    return send(agent, "GET", path, "", headers);
  }

  Answer post(URI agent, String path, String json, String... headers) throws Exception {
    return send(agent, "POST", path, json, headers);
  }

  /** Sends a request; an empty text means a request without a body. */
  Answer send(URI agent, String method, String path, String json, String... headers)
      throws Exception {
    byte[] body = json.getBytes(StandardCharsets.UTF_8);
    return send(
        agent,
        method,
        path,
        body,
        json.isEmpty() && method.equals("DELETE") ? null : "application/json",
        headers);
  }

  Answer sendBytes(URI agent, String method, String path, byte[] body, String... headers)
      throws Exception {
    return send(agent, method, path, body, "application/octet-stream", headers);
  }

  private Answer send(
      URI agent, String method, String path, byte[] body, @Nullable String type, String... headers)
      throws Exception {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(URI.create(agent + path))
            .method(
                method, type == null ? BodyPublishers.noBody() : BodyPublishers.ofByteArray(body));
    if (type != null) {
      request.header("Content-Type", type);
    }
    if (headers.length > 0) {
      request.headers(headers);
    }
    HttpResponse<byte[]> response = http.send(request.build(), BodyHandlers.ofByteArray());
    boolean json =
        response.headers().firstValue("Content-Type").orElse("").startsWith("application/json");
    return new Answer(
        response.statusCode(),
        json ? Json.MAPPER.readTree(response.body()) : Json.MAPPER.createObjectNode(),
        response);
  }

  /**
   * The first so many events of one kind, each with its id.
   *
   * @param after the id of an event, or 0 for all
   */
  List<ObjectNode> events(URI agent, String after, String kind, int count) throws Exception {
    HttpRequest request =
        HttpRequest.newBuilder(URI.create(agent + "/v1/events"))
            .header("Last-Event-ID", after)
            .build();
    HttpResponse<Stream<String>> response = http.send(request, BodyHandlers.ofLines());
    List<ObjectNode> found = new ArrayList<>();
    try (Stream<String> lines = response.body()) {
      String id = "";
      for (Iterator<String> each = lines.iterator(); found.size() < count; ) {
        String line = each.next();
        if (line.startsWith("id: ")) {
          id = line.substring("id: ".length());
        } else if (line.startsWith("data: ")) {
          ObjectNode event = (ObjectNode) Json.MAPPER.readTree(line.substring("data: ".length()));
          if (event.path("type").asText().equals(kind)) {
            found.add(event.put("id", id));
          }
        }
      }
    }
    return found;
  }

  @Override
  public void close() {
    http.close();
  }
}
