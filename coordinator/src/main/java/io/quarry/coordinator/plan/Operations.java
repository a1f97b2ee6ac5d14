package io.quarry.coordinator.plan;

import com.fasterxml.jackson.annotation.JsonSubTypes;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The names by which logs and other agents know the kinds of requests. */
final class Operations {
  private static final Map<Class<?>, String> NAMES =
      Stream.of(Request.class.getAnnotation(JsonSubTypes.class).value())
          .collect(Collectors.toUnmodifiableMap(JsonSubTypes.Type::value, JsonSubTypes.Type::name));

  private Operations() {}

  static String nameOf(Class<?> request) {
    String name = NAMES.get(request);
    if (name == null) {
      throw new IllegalArgumentException(request + " has no name");
    }
    return name;
  }
}
