package io.quarry.agent.cli;

import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The properties of one subject, a line each; properties without a value are left out. */
public final class Facts {
  private final Map<String, String> facts = new LinkedHashMap<>();

  public Facts fact(String name, @Nullable Object value) {
    String text = value == null ? "" : value.toString();
    if (!text.isEmpty()) {
      facts.put(name, text);
    }
    return this;
  }

  @Override
  public String toString() {
    int width = facts.keySet().stream().mapToInt(String::length).max().orElse(0);
    StringBuilder text = new StringBuilder();
    facts.forEach((name, value) ->
        text.append(name).append(" ".repeat(width - name.length() + 2)).append(value).append('\n'));
    return text.toString();
  }
}
