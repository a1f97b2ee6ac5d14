package io.quarry.coordinator.plan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.catchThrowable;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.NullNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.Json;
import io.quarry.common.api.StorageException;
import io.quarry.common.model.Limits;
import java.io.IOException;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Case 12.23: a request of another agent with the volume id {@code ../../../x} made, read and
 * deleted files outside of the repository. The test replaces each text in each request by values
 * that no agent sends.
 */
class HostileRequestsTest {
  /** Texts for people: long ones are cut, and any character is allowed. */
  private static final Set<String> ERRORS = Set.of("error");

  /** Text in one line, and no part of a name. */
  private static final Set<String> LINES = Set.of("owner", "content");

  private static final List<String> UNPRINTABLE =
      List.of("a\0b", "a\nb", "\ud800", "x".repeat(10_000));

  private static final List<String> HOSTILE =
      Stream.concat(
              Stream.of("../../../x", "..", "a/b", "/etc/passwd", "fixes/../x", ""),
              UNPRINTABLE.stream())
          .toList();

  static Stream<Class<?>> requests() {
    return Stream.of(Request.class.getPermittedSubclasses());
  }

  @ParameterizedTest
  @MethodSource("requests")
  void textThatNoAgentGivesIsRefused(Class<?> type) throws Exception {
    ObjectNode usual = usual(type);
    assertThatCode(() -> read(usual)).doesNotThrowAnyException();
    for (List<String> path : texts(usual, List.of())) {
      if (ERRORS.contains(path.getLast()) || path.contains("refusal") || path.contains("retain")) {
        continue;
      }
      for (String hostile : LINES.contains(path.getLast()) ? UNPRINTABLE : HOSTILE) {
        assertThat(refusal(with(usual, path, TextNode.valueOf(hostile))))
            .as("%s of %s", path, type.getSimpleName())
            .isEqualTo(ErrorCode.INVALID_ARGUMENT);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("requests")
  void whatIsMissingIsRefused(Class<?> type) throws Exception {
    ObjectNode usual = usual(type);
    for (RecordComponent component : type.getRecordComponents()) {
      boolean optional =
          component.getAnnotatedType().isAnnotationPresent(Nullable.class)
              || component.getType().isPrimitive()
              || ERRORS.contains(nameOf(component))
              || nameOf(component).equals("retain");
      ObjectNode without = usual.deepCopy();
      without.remove(nameOf(component));
      if (!optional) {
        assertThat(refusal(without)).as("%s", component).isEqualTo(ErrorCode.INVALID_ARGUMENT);
      }
    }
  }

  /** Within lists and maps, whatever the type declares. */
  @ParameterizedTest
  @MethodSource("requests")
  void nullInsideIsRefused(Class<?> type) throws Exception {
    ObjectNode usual = usual(type);
    for (RecordComponent component : type.getRecordComponents()) {
      JsonNode values = Objects.requireNonNull(usual.get(nameOf(component)));
      if (component.getGenericType() instanceof ParameterizedType) {
        for (List<String> place : inside(values, List.of(nameOf(component)))) {
          assertThat(refusal(with(usual, place, NullNode.instance)))
              .as("%s of %s", place, type.getSimpleName())
              .isEqualTo(ErrorCode.INVALID_ARGUMENT);
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("requests")
  void userDataIsCheckedAgain(Class<?> type) throws Exception {
    ObjectNode usual = usual(type);
    if (usual.has("userData")) {
      usual.set("userData", nested(Limits.USER_DATA_DEPTH_MAX));
      assertThatCode(() -> read(usual)).doesNotThrowAnyException();
      usual.set("userData", nested(Limits.USER_DATA_DEPTH_MAX + 1));
      assertThat(refusal(usual)).isEqualTo(ErrorCode.INVALID_ARGUMENT);
      usual.putObject("userData").put("a", "x".repeat(Limits.USER_DATA_BYTES_MAX));
      assertThat(refusal(usual)).isEqualTo(ErrorCode.PAYLOAD_TOO_LARGE);
      // The number is longer when written than when read: no reader would take the record.
      usual.set("userData", Json.MAPPER.readTree("{\"n\":" + "1".repeat(998) + "e9}"));
      assertThat(refusal(usual)).isEqualTo(ErrorCode.INVALID_ARGUMENT);
    }
  }

  @Test
  void errorsAreCut() {
    String error = "x".repeat(10_000);
    assertThat(new FailFix("mend-v1", error).error()).hasSize(FixState.ERROR_CHARS_MAX + 1);
    assertThat(new StopFix("mend-v1", error).error()).hasSize(FixState.ERROR_CHARS_MAX + 1);
  }

  private static ObjectNode nested(int depth) {
    ObjectNode outermost = JsonNodeFactory.instance.objectNode();
    ObjectNode inner = outermost;
    for (int level = 1; level < depth; level++) {
      inner = inner.putObject("a");
    }
    return outermost;
  }

  /** The field's name on the wire. */
  private static String nameOf(RecordComponent component) {
    JsonProperty named = component.getAccessor().getAnnotation(JsonProperty.class);
    return named == null || named.value().isEmpty() ? component.getName() : named.value();
  }

  /** The request as it goes over the wire, with all optional fields. */
  private static ObjectNode usual(Class<?> type) {
    ObjectNode request = fields(type);
    return request.put("operation", Operations.nameOf(type));
  }

  private static ObjectNode fields(Class<?> type) {
    ObjectNode fields = JsonNodeFactory.instance.objectNode();
    for (RecordComponent component : type.getRecordComponents()) {
      fields.set(nameOf(component), value(component.getGenericType()));
    }
    return fields;
  }

  private static JsonNode value(Type type) {
    if (type instanceof ParameterizedType generic) {
      JsonNode value = value(generic.getActualTypeArguments()[0]);
      return generic.getRawType() == List.class
          ? Json.MAPPER.createArrayNode().add(value)
          : Json.MAPPER
              .createObjectNode()
              .set(value.asText(), value(generic.getActualTypeArguments()[1]));
    }
    Object value = null;
    if (type == String.class) {
      value = "a1";
    } else if (type == long.class || type == Long.class) {
      value = 512L;
    } else if (type == boolean.class) {
      value = true;
    } else if (type == Duration.class) {
      value = Duration.ofHours(1);
    } else if (type == Instant.class) {
      value = Instant.EPOCH;
    } else if (type == ObjectNode.class) {
      value = Map.of();
    } else if (type instanceof Class<?> named && named.isEnum()) {
      value = named.getEnumConstants()[0];
    } else if (type instanceof Class<?> named && named.isRecord()) {
      return fields(named);
    }
    return Json.MAPPER.valueToTree(Objects.requireNonNull(value, type.getTypeName()));
  }

  /** The places of all texts other than words of an enum, and of field names that are ids. */
  private static List<List<String>> texts(JsonNode node, List<String> path) {
    List<List<String>> found = new ArrayList<>();
    for (int i = 0; i < node.size(); i++) {
      List<String> place = below(path, Integer.toString(i));
      if (node.isArray()) {
        found.addAll(texts(node.path(i), place));
      }
      if (node.isArray() && node.path(i).asText().equals("a1")) {
        found.add(place);
      }
    }
    for (Map.Entry<String, JsonNode> field : node.properties()) {
      List<String> place = below(path, field.getKey());
      if (field.getValue().asText().equals("a1") || field.getKey().equals("a1")) {
        found.add(place);
      }
      found.addAll(texts(field.getValue(), place));
    }
    return found;
  }

  /** All places but those of numbers and booleans, which have defaults. */
  private static List<List<String>> inside(JsonNode node, List<String> path) {
    List<List<String>> found = new ArrayList<>();
    List<String> steps = new ArrayList<>();
    node.fieldNames().forEachRemaining(steps::add);
    for (int i = 0; node.isArray() && i < node.size(); i++) {
      steps.add(Integer.toString(i));
    }
    for (String step : steps) {
      JsonNode value = node.isArray() ? node.path(Integer.parseInt(step)) : node.path(step);
      if (path.size() == 1 || value.isTextual()) {
        found.add(below(path, step));
      }
      found.addAll(inside(value, below(path, step)));
    }
    return found;
  }

  private static List<String> below(List<String> path, String step) {
    List<String> place = new ArrayList<>(path);
    place.add(step);
    return place;
  }

  private static ObjectNode with(ObjectNode usual, List<String> path, JsonNode value) {
    ObjectNode changed = usual.deepCopy();
    JsonNode parent = changed;
    for (String step : path.subList(0, path.size() - 1)) {
      parent = parent.isArray() ? parent.path(Integer.parseInt(step)) : parent.path(step);
    }
    if (parent instanceof ArrayNode array) {
      array.set(Integer.parseInt(path.getLast()), value);
      return changed;
    }
    ObjectNode object = (ObjectNode) parent;
    if (path.getLast().equals("a1") && value.isTextual()) {
      object.set(value.textValue(), Objects.requireNonNull(object.remove("a1")));
    } else {
      object.set(path.getLast(), value);
    }
    return changed;
  }

  private static Request read(ObjectNode request) throws IOException {
    return Json.MAPPER.treeToValue(request, Request.class);
  }

  private static @Nullable ErrorCode refusal(ObjectNode request) {
    Throwable thrown = catchThrowable(() -> read(request));
    Throwable cause = thrown == null ? null : thrown.getCause();
    return cause instanceof StorageException refused ? refused.code() : null;
  }
}
