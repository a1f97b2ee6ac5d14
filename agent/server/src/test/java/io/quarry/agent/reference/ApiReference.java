package io.quarry.agent.reference;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import io.quarry.common.api.Json;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/** Writes the page: what each operation does, takes and answers, and all types. */
final class ApiReference {
  private final Document document;
  private final TypeText types;
  private final Examples examples;
  private final StringBuilder page = new StringBuilder();

  private ApiReference(Document document) {
    this.document = document;
    this.types = new TypeText(document);
    this.examples = new Examples(document);
  }

  static String of(Document document) throws JsonProcessingException {
    return new ApiReference(document).write();
  }

  private String write() throws JsonProcessingException {
    line("# The HTTP API");
    line("");
    line("<!-- Made from openapi.yaml by ApiReferenceTest; change that file, not this one. -->");
    line("");
    line(document.root().at("/info/description").asText().strip());
    line("");
    overview();
    for (JsonNode tag : document.root().path("tags")) {
      line("## " + capital(tag.path("name").asText()));
      line("");
      line(TypeText.sentence(tag.path("description").asText()));
      line("");
      for (Document.Operation operation : document.operations()) {
        if (operation.tag().equals(tag.path("name").asText())) {
          operation(operation);
        }
      }
    }
    types();
    return page.toString().strip() + "\n";
  }

  private void overview() {
    for (JsonNode tag : document.root().path("tags")) {
      String name = tag.path("name").asText();
      line("| [" + capital(name) + "](#" + name + ") | | |");
      line("|---|---|---|");
      for (Document.Operation each : document.operations()) {
        if (each.tag().equals(name)) {
          line(
              "| [%s](#%s) | `%s %s` | %s |"
                  .formatted(
                      each.id(),
                      each.id().toLowerCase(Locale.ROOT),
                      each.method(),
                      each.path(),
                      each.node().path("summary").asText()));
        }
      }
      line("");
    }
  }

  private void operation(Document.Operation operation) throws JsonProcessingException {
    line("### " + operation.id());
    line("");
    line("`" + operation.method() + " " + operation.path() + "`");
    line("");
    line(TypeText.sentence(operation.node().path("summary").asText()));
    line("");
    if (operation.node().has("description")) {
      line(operation.node().path("description").asText().strip());
      line("");
    }
    parameters(operation);
    body(operation.node().path("requestBody"));
    code("sh", examples.curl(operation));
    responses(operation);
  }

  private void parameters(Document.Operation operation) {
    if (operation.parameters().isEmpty()) {
      return;
    }
    line("| parameter | in | type | meaning |");
    line("|---|---|---|---|");
    for (JsonNode parameter : operation.parameters()) {
      boolean optional = !parameter.path("required").asBoolean();
      line(
          "| `%s` | %s | %s | %s |"
              .formatted(
                  parameter.path("name").asText(),
                  parameter.path("in").asText() + (optional ? ", optional" : ""),
                  types.type(parameter.path("schema")),
                  types.meaning(parameter, parameter.path("schema"))));
    }
    line("");
  }

  private void body(JsonNode request) {
    JsonNode schema = request.at("/content/application~1json/schema");
    if (schema.isMissingNode()) {
      return;
    }
    line(request.path("required").asBoolean() ? "Body:" : "Body, optional:");
    line("");
    if (Document.hasFields(document.resolve(schema))) {
      fields(document.resolve(schema));
    } else {
      line(types.type(schema) + ": " + types.meaning(schema, schema));
      line("");
    }
  }

  private void fields(JsonNode schema) {
    Set<String> required = new HashSet<>();
    schema.path("required").forEach(name -> required.add(name.asText()));
    line("| field | type | meaning |");
    line("|---|---|---|");
    for (Map.Entry<String, JsonNode> field : schema.path("properties").properties()) {
      line(
          "| `%s`%s | %s | %s |"
              .formatted(
                  field.getKey(),
                  required.contains(field.getKey()) ? "" : ", optional",
                  types.type(field.getValue()),
                  types.meaning(field.getValue(), field.getValue())));
    }
    line("");
  }

  private void responses(Document.Operation operation) throws JsonProcessingException {
    List<String> errors = new ArrayList<>();
    for (Map.Entry<String, JsonNode> each : operation.node().path("responses").properties()) {
      JsonNode response = document.resolve(each.getValue());
      String text = TypeText.oneLine(response.path("description").asText());
      if (!each.getKey().startsWith("2")) {
        errors.add(
            "| %s | %s | %s |"
                .formatted(
                    each.getKey(),
                    response
                        .path("x-codes")
                        .valueStream()
                        .map(code -> "`" + code.asText() + "`")
                        .collect(Collectors.joining(", ")),
                    TypeText.cell(text)));
        continue;
      }
      JsonNode schema = response.at("/content/application~1json/schema");
      line(
          "Answer `%s`%s: %s"
              .formatted(
                  each.getKey(),
                  schema.isMissingNode() ? "" : ", " + types.type(schema),
                  TypeText.sentence(text)));
      line("");
      headers(response);
      JsonNode example = examples.ofBody(response);
      if (example != null) {
        code("json", pretty(example));
      }
    }
    line("| error | codes | when |");
    line("|---|---|---|");
    errors.forEach(this::line);
    line("");
  }

  private void headers(JsonNode response) {
    for (Map.Entry<String, JsonNode> header : response.path("headers").properties()) {
      line(
          "* `%s`: %s"
              .formatted(
                  header.getKey(),
                  TypeText.sentence(header.getValue().path("description").asText())));
    }
    if (response.has("headers")) {
      line("");
    }
  }

  private void types() throws JsonProcessingException {
    line("## Types");
    line("");
    line("A field without a value is absent, never null.");
    line("");
    Map<String, JsonNode> schemas = named();
    for (Map.Entry<String, JsonNode> schema : schemas.entrySet()) {
      if (Document.hasFields(schema.getValue())) {
        line("### " + schema.getKey());
        line("");
        if (schema.getValue().has("description")) {
          line(TypeText.sentence(TypeText.oneLine(schema.getValue().path("description").asText())));
          line("");
        }
        fields(schema.getValue());
      }
    }
    line("### Plain types");
    line("");
    line("| type | JSON | meaning | example |");
    line("|---|---|---|---|");
    for (Map.Entry<String, JsonNode> schema : schemas.entrySet()) {
      if (!Document.hasFields(schema.getValue())) {
        JsonNode example = examples.of(schema.getValue());
        line(
            "| %s | %s | %s | %s |"
                .formatted(
                    schema.getKey(),
                    types.type(schema.getValue()),
                    types.meaning(schema.getValue(), schema.getValue()),
                    example == null ? "" : "`" + TypeText.cell(example.toString()) + "`"));
      }
    }
    line("");
  }

  private Map<String, JsonNode> named() {
    return document.root().at("/components/schemas").properties().stream()
        .collect(
            Collectors.toMap(
                Map.Entry::getKey, Map.Entry::getValue, (a, b) -> a, LinkedHashMap::new));
  }

  private void code(String language, String text) {
    line("```" + language);
    line(text);
    line("```");
    line("");
  }

  private void line(String text) {
    page.append(text).append('\n');
  }

  private static String capital(String word) {
    return word.substring(0, 1).toUpperCase(Locale.ROOT) + word.substring(1);
  }

  private static String pretty(JsonNode value) throws JsonProcessingException {
    return Json.MAPPER.writerWithDefaultPrettyPrinter().writeValueAsString(value);
  }
}
