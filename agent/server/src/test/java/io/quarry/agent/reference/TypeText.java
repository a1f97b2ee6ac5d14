package io.quarry.agent.reference;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** The allowed values of a type in few words, for a cell of a table. */
final class TypeText {
  /** The section of the types without fields. */
  static final String PLAIN = "#plain-types";

  private final Document document;

  TypeText(Document document) {
    this.document = document;
  }

  /** The type's text, with a link when the type has a name. */
  String type(JsonNode schema) {
    String name = Document.name(schema);
    if (name != null) {
      boolean fields = Document.hasFields(document.resolve(schema));
      return link(name, fields ? "#" + name.toLowerCase(Locale.ROOT) : PLAIN);
    }
    return switch (schema.path("type").asText()) {
      case "array" -> "list of " + type(schema.path("items"));
      case "object" -> {
        JsonNode values = schema.path("additionalProperties");
        yield values.isObject() ? "map of " + type(values) : "object";
      }
      case String other -> schema.path("format").asText().equals("date-time") ? "time" : other;
    };
  }

  private static String link(String text, String to) {
    return "[" + text + "](" + to + ")";
  }

  /**
   * The meaning and the allowed values; the limits of a named type are given in its own section.
   */
  String meaning(JsonNode node, JsonNode schema) {
    JsonNode resolved = document.resolve(schema);
    List<String> parts = new ArrayList<>();
    String description =
        node.has("description")
            ? node.path("description").asText()
            : resolved.path("description").asText();
    if (!description.isBlank()) {
      parts.add(sentence(oneLine(description)));
    }
    if (resolved.has("enum") && !description.contains(resolved.path("enum").get(0).asText())) {
      parts.add(words(resolved) + ".");
    }
    parts.addAll(limits(Document.name(schema) == null ? resolved : schema));
    JsonNode otherwise = schema.has("default") ? schema.get("default") : null;
    if (otherwise != null) {
      String value = otherwise.isTextual() ? otherwise.asText() : otherwise.toString();
      parts.add("Default: `" + value + "`.");
    }
    return cell(String.join(" ", parts));
  }

  /** Sentences about the allowed values. */
  static List<String> limits(JsonNode schema) {
    List<String> limits = new ArrayList<>();
    add(limits, range(schema, "minimum", "maximum", ""));
    add(limits, range(schema, "minLength", "maxLength", " characters"));
    add(limits, range(schema, "minItems", "maxItems", " entries"));
    add(limits, range(schema, "minProperties", "maxProperties", " entries"));
    if (schema.has("multipleOf")) {
      limits.add("A multiple of " + schema.path("multipleOf").asText() + ".");
    }
    if (schema.has("pattern")) {
      limits.add("Looks like `" + schema.path("pattern").asText() + "`.");
    }
    return limits;
  }

  private static void add(List<String> limits, @Nullable String limit) {
    if (limit != null) {
      limits.add(limit);
    }
  }

  private static String words(JsonNode schema) {
    List<String> words = new ArrayList<>();
    schema.path("enum").forEach(each -> words.add(word(each)));
    return String.join(", ", words);
  }

  private static String word(JsonNode word) {
    return "`" + word.asText() + "`";
  }

  private static @Nullable String range(JsonNode schema, String from, String to, String unit) {
    boolean top = schema.has(to) && schema.path(to).longValue() != Long.MAX_VALUE;
    if (schema.has(from) && top) {
      return schema.path(from).asText() + " to " + schema.path(to).asText() + unit + ".";
    }
    if (top) {
      return "At most " + schema.path(to).asText() + unit + ".";
    }
    return schema.has(from) ? "At least " + schema.path(from).asText() + unit + "." : null;
  }

  static String oneLine(String text) {
    return text.strip().replaceAll("\\s+", " ");
  }

  static String sentence(String text) {
    return text.endsWith(".") || text.endsWith(":") ? text : text + ".";
  }

  static String cell(String text) {
    return text.replace("|", "\\|");
  }
}
