package io.quarry.agent.server;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Compiles the contract's schemas into {@link SchemaCheck}s. The compiler knows the keywords that
 * the contract uses. The compiler refuses other keywords at start rather than ignore a rule.
 */
final class Schemas {
  private static final Set<String> TOLD =
      Set.of("description", "examples", "format", "default", "x-maxBytes");
  private static final Set<String> CHECKED =
      Set.of(
          "type",
          "enum",
          "pattern",
          "minLength",
          "maxLength",
          "minimum",
          "maximum",
          "multipleOf",
          "items",
          "minItems",
          "maxItems",
          "properties",
          "required",
          "additionalProperties",
          "maxProperties");

  private final JsonNode document;

  Schemas(JsonNode document) {
    this.document = document;
  }

  /** Follows {@code $ref}; fields beside the reference win. */
  ObjectNode resolve(JsonNode node) {
    JsonNode reference = node.get("$ref");
    if (reference == null) {
      return (ObjectNode) node;
    }
    JsonNode target = document.at(reference.textValue().substring(1));
    if (target.isMissingNode()) {
      throw new IllegalStateException("The contract has no " + reference.textValue());
    }
    ObjectNode resolved = JsonNodeFactory.instance.objectNode();
    resolved.setAll(resolve(target));
    resolved.setAll((ObjectNode) node);
    resolved.remove("$ref");
    return resolved;
  }

  SchemaCheck compile(JsonNode node) {
    ObjectNode schema = resolve(node);
    for (Map.Entry<String, JsonNode> keyword : schema.properties()) {
      if (!TOLD.contains(keyword.getKey()) && !CHECKED.contains(keyword.getKey())) {
        throw new IllegalStateException("Cannot check " + keyword.getKey() + " in " + schema);
      }
    }
    return switch (schema.path("type").asText()) {
      case "string" -> text(schema);
      case "integer" ->
          new SchemaCheck.Whole(
              schema.path("minimum").asLong(Long.MIN_VALUE),
              schema.path("maximum").asLong(Long.MAX_VALUE),
              schema.path("multipleOf").asLong(1));
      case "boolean" -> new SchemaCheck.Flag();
      case "array" ->
          new SchemaCheck.Items(
              compile(schema.path("items")),
              schema.path("minItems").asInt(0),
              schema.path("maxItems").asInt(Integer.MAX_VALUE));
      case "object" -> fields(schema);
      case String other -> throw new IllegalStateException("Cannot check type " + other);
    };
  }

  private static SchemaCheck text(ObjectNode schema) {
    List<String> words = new ArrayList<>();
    schema.path("enum").forEach(word -> words.add(word.textValue()));
    String pattern = schema.path("pattern").textValue();
    if (pattern != null && !(pattern.startsWith("^") && pattern.endsWith("$"))) {
      throw new IllegalStateException("A pattern must speak of the whole text: " + pattern);
    }
    return new SchemaCheck.Text(
        schema.path("minLength").asInt(0),
        schema.path("maxLength").asInt(Integer.MAX_VALUE),
        pattern == null ? null : Pattern.compile(pattern),
        words);
  }

  private SchemaCheck.Fields fields(ObjectNode schema) {
    Map<String, SchemaCheck> named = new LinkedHashMap<>();
    Map<String, JsonNode> defaults = new LinkedHashMap<>();
    for (Map.Entry<String, JsonNode> field : schema.path("properties").properties()) {
      named.put(field.getKey(), compile(field.getValue()));
      JsonNode value = resolve(field.getValue()).get("default");
      if (value != null) {
        defaults.put(field.getKey(), value);
      }
    }
    Set<String> required = new LinkedHashSet<>();
    schema.path("required").forEach(field -> required.add(field.textValue()));
    return new SchemaCheck.Fields(
        named,
        required,
        others(schema.get("additionalProperties")),
        schema.path("maxProperties").asInt(Integer.MAX_VALUE),
        defaults,
        schema.path("x-maxBytes").asInt(0));
  }

  private @Nullable SchemaCheck others(@Nullable JsonNode schema) {
    if (schema == null) {
      throw new IllegalStateException("Every object says what other fields it takes");
    }
    if (schema.isBoolean()) {
      return schema.booleanValue() ? new SchemaCheck.Anything() : null;
    }
    return compile(schema);
  }
}
