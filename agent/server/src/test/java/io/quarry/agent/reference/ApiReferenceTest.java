package io.quarry.agent.reference;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.json.JsonObject;
import io.vertx.openapi.contract.OpenAPIContract;
import io.vertx.openapi.validation.ResponseValidator;
import io.vertx.openapi.validation.ValidatableResponse;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/**
 * {@code docs/api.md} and the server's {@code contract.json} agree with {@code openapi.yaml}, and
 * that file describes everything. {@code -Dgolden.write=true} writes the page and the rules.
 */
final class ApiReferenceTest {
  private static final Path PAGE = Path.of("../../docs/api.md");
  private static final Path RULES =
      Path.of("src/main/resources/io/quarry/agent/server/contract.json");
  private static final String WRITE =
      "mvn -Dquick -DskipTests=false -pl agent/server -am package -Dtest=ApiReferenceTest"
          + " -Dgolden.write=true -Dsurefire.failIfNoSpecifiedTests=false";
  private static final String JSON = "/content/application~1json";

  @Test
  void pageSaysWhatTheFileSays() throws IOException {
    String page = ApiReference.of(Document.load());
    if (Boolean.getBoolean("golden.write")) {
      Files.writeString(PAGE, page);
    }
    assertThat(page)
        .as("write contract.json and docs/api.md anew: " + WRITE)
        .isEqualTo(Files.readString(PAGE));
  }

  @Test
  void serverReadsWhatTheFileSays() throws IOException {
    String rules = Document.load().rules();
    if (Boolean.getBoolean("golden.write")) {
      Files.writeString(RULES, rules);
    }
    assertThat(rules)
        .as("write contract.json and docs/api.md anew: " + WRITE)
        .isEqualTo(Files.readString(RULES));
  }

  @Test
  void everyPartIsDescribed() throws IOException {
    Document document = Document.load();
    List<String> silent = new ArrayList<>();
    for (Document.Operation operation : document.operations()) {
      for (JsonNode parameter : operation.parameters()) {
        if (describes(document, parameter, parameter.path("schema"))) {
          continue;
        }
        silent.add(operation.id() + ": " + parameter.path("name").asText());
      }
    }
    for (Map.Entry<String, JsonNode> schema :
        document.root().at("/components/schemas").properties()) {
      if (!Document.hasFields(schema.getValue()) && !schema.getValue().has("description")) {
        silent.add(schema.getKey());
      }
      for (Map.Entry<String, JsonNode> field : schema.getValue().path("properties").properties()) {
        if (!describes(document, field.getValue(), field.getValue())) {
          silent.add(schema.getKey() + ": " + field.getKey());
        }
      }
    }
    assertThat(silent).as("parts that openapi.yaml does not describe").isEmpty();
  }

  /** A library for OpenAPI is the judge. */
  @Test
  void everyAnswerHasAnExampleThatKeepsItsSchema() throws IOException {
    Document document = Document.load();
    Examples examples = new Examples(document);
    Vertx vertx = Vertx.vertx();
    try {
      OpenAPIContract contract =
          OpenAPIContract.from(vertx, new JsonObject(document.root().toString())).await();
      ResponseValidator judge = ResponseValidator.create(vertx, contract);
      for (Document.Operation operation : document.operations()) {
        for (Map.Entry<String, JsonNode> each : operation.node().path("responses").properties()) {
          JsonNode response = document.resolve(each.getValue());
          if (each.getKey().startsWith("2") && response.at(JSON).isObject()) {
            JsonNode example = examples.ofBody(response);
            assertThat(example).as("example of %s", operation.id()).isNotNull();
            judge
                .validate(
                    ValidatableResponse.create(
                        Integer.parseInt(each.getKey()),
                        Map.of("Location", "x"),
                        Buffer.buffer(String.valueOf(example)),
                        "application/json"),
                    operation.id())
                .await();
          }
        }
      }
    } finally {
      vertx.close().await();
    }
  }

  /** A list of a named type needs only that type's name. */
  private static boolean describes(Document document, JsonNode node, JsonNode schema) {
    return node.has("description") || document.resolve(schema).has("description");
  }
}
