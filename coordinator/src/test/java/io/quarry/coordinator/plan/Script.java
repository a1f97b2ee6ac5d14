package io.quarry.coordinator.plan;

import com.fasterxml.jackson.core.json.JsonReadFeature;
import com.fasterxml.jackson.databind.exc.ValueInstantiationException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.quarry.common.api.Json;
import io.quarry.common.api.StorageException;
import java.io.IOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * A story of requests, each followed by what becomes of it. Lines that begin with {@code #}
 * explain.
 *
 * <pre>
 * > operation {its fields; autoFix, strategy and userData have defaults}
 * + what is put         - what is dropped
 * = the reply's id      ! the refusal's code: its message (and its remedy)
 * ? shows the state
 * @ the SDM's clock from now on, or the number of the next commit
 * </pre>
 */
final class Script {
  private static final Instant START = Instant.parse("2026-01-01T00:00:00Z");
  private static final JsonMapper MAPPER =
      Json.MAPPER
          .rebuild()
          .enable(JsonReadFeature.ALLOW_UNQUOTED_FIELD_NAMES)
          .enable(JsonReadFeature.ALLOW_SINGLE_QUOTES)
          .build();

  private final List<String> lines = new ArrayList<>();
  private RepositoryState state = RepositoryState.EMPTY;
  private long commit;
  private Instant now = START;

  private Script() {}

  /** The script with the real outcome of each request. */
  static String run(String text) throws IOException {
    Script script = new Script();
    for (String line : text.lines().toList()) {
      script.take(line);
    }
    return String.join("\n", script.lines) + "\n";
  }

  private void take(String line) throws IOException {
    if (line.startsWith("> ")) {
      lines.add(line);
      plan(line.substring(2));
    } else if (line.equals("?")) {
      lines.add(line);
      Rendering.state(state).forEach(this::result);
    } else if (line.startsWith("@ ")) {
      lines.add(line);
      String at = line.substring(2);
      if (at.chars().allMatch(Character::isDigit)) {
        commit = Long.parseLong(at) - 1;
      } else {
        now = Instant.parse(at);
      }
    } else if (line.isBlank() || line.startsWith("#")) {
      lines.add(line);
    }
  }

  private void plan(String text) throws IOException {
    Transaction transaction = new Transaction(state, commit + 1, now);
    try {
      Request request = request(text);
      Reply reply = request.plan(transaction);
      transaction.changes().forEach(change -> result(Rendering.change(change)));
      result("= " + reply.id());
      state = transaction.state();
      commit++;
    } catch (StorageException e) {
      result("! " + e.code() + ": " + e.getMessage() + " (" + e.remedy() + ")");
    }
  }

  private void result(String line) {
    lines.add("  " + line);
  }

  private static Request request(String text) throws IOException {
    int space = text.indexOf(' ');
    ObjectNode fields = (ObjectNode) MAPPER.readTree(text.substring(space));
    String operation = text.substring(0, space);
    Class<?> type =
        Stream.of(Request.class.getPermittedSubclasses())
            .filter(one -> Operations.nameOf(one).equals(operation))
            .findFirst()
            .orElseThrow();
    for (var component : type.getRecordComponents()) {
      if (!fields.has(component.getName())) {
        switch (component.getName()) {
          case "autoFix" -> fields.put("autoFix", true);
          case "strategy" -> fields.put("strategy", "space");
          case "userData" -> fields.putObject("userData");
          default -> {}
        }
      }
    }
    fields.put("operation", operation);
    try {
      return MAPPER.treeToValue(fields, Request.class);
    } catch (ValueInstantiationException e) {
      if (e.getCause() instanceof StorageException refused) {
        throw refused;
      }
      throw e;
    }
  }
}
