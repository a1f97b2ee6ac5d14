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
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;

/** The OpenAPI file as a tree, with its references followed. */
final class Document {
  private static final String REFERENCE = "$ref";
  private static final Set<String> PROSE =
      Set.of("summary", "description", "examples", "example", "tags");

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

  /** What a server needs of the file: a line for each operation and for each component. */
  String rules() {
    ObjectNode rules = root.deepCopy();
    rules.retain("paths", "components");
    removeProse(rules, false);
    return lines(rules, 3) + "\n";
  }

  /**
   * @param named whether the node's keys are names of fields
   */
  private static void removeProse(JsonNode node, boolean named) {
    if (node instanceof ObjectNode object && !named) {
      object.remove(PROSE);
    }
    node.properties()
        .forEach(
            each -> removeProse(each.getValue(), !named && each.getKey().equals("properties")));
    if (node.isArray()) {
      node.forEach(each -> removeProse(each, false));
    }
  }

  private static String lines(JsonNode node, int levels) {
    return levels == 0 || !node.isObject()
        ? node.toString()
        : node.properties().stream()
            .map(each -> "\"%s\":%s".formatted(each.getKey(), lines(each.getValue(), levels - 1)))
            .collect(Collectors.joining(",\n", "{\n", "\n}"));
  }

  /** An object with named fields gets a table of its own. */
  static boolean hasFields(JsonNode schema) {
    return !schema.path("properties").isEmpty();
  }
}
