package io.quarry.agent.reference;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.quarry.common.api.Json;
import org.jspecify.annotations.Nullable;

/** Example values: taken from the file, or built from the examples of their parts. */
final class Examples {
  private final Document document;

  Examples(Document document) {
    this.document = document;
  }

  /** An example of a request's or an answer's JSON; null when there is none. */
  @Nullable JsonNode ofBody(JsonNode message) {
    JsonNode media = message.path("content").path("application/json");
    if (media.isMissingNode()) {
      return null;
    }
    return media.has("example") ? media.get("example") : of(media.path("schema"));
  }

  @Nullable JsonNode of(JsonNode schema) {
    JsonNode resolved = document.resolve(schema);
    if (resolved.path("examples").has(0)) {
      return resolved.path("examples").get(0);
    }
    if (resolved.path("type").asText().equals("array")) {
      JsonNode item = of(resolved.path("items"));
      return item == null ? null : Json.MAPPER.createArrayNode().add(item);
    }
    if (!Document.hasFields(resolved)) {
      return null;
    }
    ObjectNode fields = Json.MAPPER.createObjectNode();
    for (JsonNode name : resolved.path("required")) {
      JsonNode value = of(resolved.path("properties").path(name.asText()));
      if (value == null) {
        return null;
      }
      fields.set(name.asText(), value);
    }
    return fields.isEmpty() ? null : fields;
  }

  /** A shell command for the operation. */
  String curl(Document.Operation operation) {
    StringBuilder url = new StringBuilder(operation.path());
    StringBuilder headers = new StringBuilder();
    String separator = "?";
    for (JsonNode parameter : operation.parameters()) {
      String name = parameter.path("name").asText();
      JsonNode given = parameter.has("example") ? parameter.get("example") : null;
      boolean required = parameter.path("required").asBoolean();
      JsonNode value = given == null && required ? of(parameter.path("schema")) : given;
      if (value == null) {
        continue;
      }
      switch (parameter.path("in").asText()) {
        case "path" -> {
          int at = url.indexOf("{" + name + "}");
          url.replace(at, at + name.length() + 2, value.asText());
        }
        case "query" -> {
          url.append(separator).append(name).append('=').append(value.asText());
          separator = "&";
        }
        default ->
            headers
                .append(" \\\n  -H '")
                .append(name)
                .append(": ")
                .append(value.asText())
                .append("'");
      }
    }
    String method = operation.method().equals("GET") ? "" : " -X " + operation.method();
    return "curl -sS"
        + flags(operation)
        + method
        + " 'http://127.0.0.1:7071"
        + url
        + "'"
        + headers
        + body(operation);
  }

  private static String flags(Document.Operation operation) {
    if (operation.node().path("x-streams").asBoolean()) {
      return " -N";
    }
    boolean bytes =
        !operation.node().at("/responses/200/content/application~1octet-stream").isMissingNode();
    return bytes ? " -o part.raw" : "";
  }

  private String body(Document.Operation operation) {
    JsonNode request = operation.node().path("requestBody");
    if (request.path("content").has("application/octet-stream")) {
      return " \\\n  -H 'Content-Type: application/octet-stream' --data-binary @part.raw";
    }
    JsonNode example = ofBody(request);
    boolean needsType = operation.method().equals("POST") || operation.method().equals("PUT");
    String type = example != null || needsType ? " \\\n  -H 'Content-Type: application/json'" : "";
    return example == null ? type : type + " \\\n  -d '" + example + "'";
  }
}
