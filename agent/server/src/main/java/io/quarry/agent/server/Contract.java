package io.quarry.agent.server;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.quarry.common.api.Json;
import io.quarry.common.api.StorageApi;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The OpenAPI file, read once at start. Routes and checks are made from the file. The server reads
 * {@code contract.json}, which has the file's rules without its prose; a test keeps both equal.
 */
final class Contract {
  /** The header that carries the request id. */
  static final String REQUEST_ID = "Idempotency-Key";

  /** The name of a request's whole body in messages. */
  static final String BODY = "body";

  private static final Set<String> METHODS = Set.of("get", "put", "post", "delete");

  private Contract() {}

  /** The unchanged file, for {@code /v1/openapi.yaml}. */
  static byte[] text() {
    return resource(StorageApi.class, "openapi.yaml");
  }

  static List<Operation> operations() {
    try {
      return operations(Json.MAPPER.readTree(resource(Contract.class, "contract.json")));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static byte[] resource(Class<?> beside, String name) {
    try (InputStream stream = beside.getResourceAsStream(name)) {
      if (stream == null) {
        throw new IllegalStateException("The jar lacks " + name);
      }
      return stream.readAllBytes();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static List<Operation> operations(JsonNode document) {
    Schemas schemas = new Schemas(document);
    List<Operation> operations = new ArrayList<>();
    for (Map.Entry<String, JsonNode> path : document.path("paths").properties()) {
      for (Map.Entry<String, JsonNode> method : path.getValue().properties()) {
        if (METHODS.contains(method.getKey())) {
          operations.add(
              operation(
                  schemas, path.getKey(), path.getValue(), method.getKey(), method.getValue()));
        }
      }
    }
    return List.copyOf(operations);
  }

  private static Operation operation(
      Schemas schemas, String path, JsonNode shared, String method, JsonNode node) {
    List<Operation.Variable> variables = new ArrayList<>();
    Map<String, SchemaCheck> query = new HashMap<>();
    Map<String, String> defaults = new HashMap<>();
    Map<String, SchemaCheck> headers = new HashMap<>();
    for (JsonNode source : List.of(shared.path("parameters"), node.path("parameters"))) {
      for (JsonNode reference : source) {
        ObjectNode parameter = schemas.resolve(reference);
        String name = parameter.path("name").asText();
        SchemaCheck shape = schemas.compile(parameter.path("schema"));
        switch (parameter.path("in").asText()) {
          case "path" -> variables.add(new Operation.Variable(name, shape));
          case "query" -> {
            query.put(name, shape);
            JsonNode value = schemas.resolve(parameter.path("schema")).get("default");
            if (value != null) {
              defaults.put(name, value.asText());
            }
          }
          case "header" -> headers.put(name, shape);
          case String other -> throw new IllegalStateException("A parameter in " + other);
        }
      }
    }
    SchemaCheck requestId = headers.remove(REQUEST_ID);
    JsonNode body = node.path("requestBody");
    return new Operation(
        node.path("operationId").asText(),
        method.toUpperCase(Locale.ROOT),
        path,
        List.copyOf(variables),
        Map.copyOf(query),
        Map.copyOf(defaults),
        Map.copyOf(headers),
        requestId,
        body(schemas, body),
        body.path("required").asBoolean(),
        speaksOf(node, Answer.BYTES),
        node.path("x-streams").asBoolean(),
        success(node.path("responses")));
  }

  private static SchemaCheck.@Nullable Fields body(Schemas schemas, JsonNode body) {
    JsonNode json = body.at("/content/application~1json/schema");
    return json.isMissingNode() ? null : (SchemaCheck.Fields) schemas.compile(json);
  }

  private static boolean speaksOf(JsonNode operation, String contentType) {
    return operation.findValues("content").stream().anyMatch(content -> content.has(contentType));
  }

  private static int success(JsonNode responses) {
    for (Map.Entry<String, JsonNode> response : responses.properties()) {
      if (response.getKey().startsWith("2")) {
        return Integer.parseInt(response.getKey());
      }
    }
    throw new IllegalStateException("An operation that cannot succeed");
  }
}
