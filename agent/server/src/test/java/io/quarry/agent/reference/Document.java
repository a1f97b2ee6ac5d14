package io.quarry.agent.reference;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.quarry.common.api.Json;
import io.quarry.common.api.StorageApi;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;

/** The OpenAPI file as a tree, with its references followed. */
final class Document {
  private static final String REFERENCE = "$ref";

  private final JsonNode root;

  private Document(JsonNode root) {
    this.root = root;
  }

  /**
   * @param parameters of the path and of the operation itself
   */
  record Operation(String method, String path, List<JsonNode> parameters, JsonNode node) {
    String id() {
      return node.path("operationId").asText();
    }

    String tag() {
      return node.path("tags").path(0).asText();
    }
  }

  static Document load() throws IOException {
    try (InputStream file = StorageApi.class.getResourceAsStream("openapi.yaml")) {
      Object tree = new Yaml(new SafeConstructor(new LoaderOptions())).load(file);
      return new Document(Json.MAPPER.valueToTree(tree));
    }
  }

  JsonNode root() {
    return root;
  }

  /** The target of a node's reference, overlaid with the fields beside the reference. */
  JsonNode resolve(JsonNode node) {
    String reference = node.path(REFERENCE).textValue();
    if (reference == null) {
      return node;
    }
    ObjectNode resolved = resolve(root.at(reference.substring(1))).deepCopy();
    node.properties().stream()
        .filter(each -> !each.getKey().equals(REFERENCE))
        .forEach(each -> resolved.set(each.getKey(), each.getValue()));
    return resolved;
  }

  /** The name of a node's target; null for a node without a reference. */
  static @Nullable String name(JsonNode node) {
    String reference = node.path(REFERENCE).textValue();
    return reference == null ? null : reference.substring(reference.lastIndexOf('/') + 1);
  }

  /** In the order of the file. */
  List<Operation> operations() {
    List<Operation> operations = new ArrayList<>();
    for (Map.Entry<String, JsonNode> path : root.path("paths").properties()) {
      for (Map.Entry<String, JsonNode> method : path.getValue().properties()) {
        if (method.getValue().has("operationId")) {
          List<JsonNode> parameters = new ArrayList<>();
          path.getValue().path("parameters").forEach(each -> parameters.add(resolve(each)));
          method.getValue().path("parameters").forEach(each -> parameters.add(resolve(each)));
          operations.add(
              new Operation(
                  method.getKey().toUpperCase(Locale.ROOT),
                  path.getKey(),
                  parameters,
                  method.getValue()));
        }
      }
    }
    return operations;
  }

  /** An object with named fields gets a table of its own. */
  static boolean hasFields(JsonNode schema) {
    return !schema.path("properties").isEmpty();
  }
}
