package io.quarry.agent.server;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.quarry.common.api.StorageException;
import java.io.InputStream;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Turns a request's data into a {@link Call}, or refuses the request with a reason. */
final class Requests {
  private Requests() {}

  /**
   * @param values of the path's variables, as they were sent
   * @param headers that the operation takes
   * @param page whether a browser may have sent the request for a web page
   * @param forwardedBy the host whose agent passes the call on
   * @param callDigest of the call that the other agent passes on
   */
  @SuppressWarnings("ArrayRecordComponent") // handed on once, never compared
  record Raw(
      List<String> values,
      @Nullable String query,
      Map<String, String> headers,
      @Nullable String requestId,
      @Nullable String contentType,
      boolean page,
      @Nullable String forwardedBy,
      @Nullable String callDigest,
      byte[] body) {}

  /**
   * @param bytes the body of an upload, not read yet
   */
  static Call check(Operation operation, Raw raw, InputStream bytes) {
    Map<String, String> path = HashMap.newHashMap(operation.variables().size());
    for (int i = 0; i < operation.variables().size(); i++) {
      Operation.Variable variable = operation.variables().get(i);
      String value = decoded(raw.values().get(i), variable.name(), false);
      variable.shape().checkText(value, variable.name());
      path.put(variable.name(), value);
    }
    Map<String, String> query = query(raw.query());
    operation.checkQuery(query);
    Map<String, String> sentQuery = Map.copyOf(query);
    operation.defaults().forEach(query::putIfAbsent);
    String requestId = raw.requestId();
    if (requestId != null && operation.requestId() != null) {
      operation.requestId().checkText(requestId, Contract.REQUEST_ID);
    }
    operation
        .headers()
        .forEach((name, shape) -> {
          String value = raw.headers().get(name);
          if (value != null) {
            shape.checkText(value, name);
          }
        });
    checkContentType(operation, raw);
    ObjectNode body = body(operation, raw);
    String digest =
        requestId == null || operation.requestId() == null
            ? null
            : CallDigest.of(operation.id(), path, sentQuery, body);
    // Removal options may also come in the query, so only a body that is present gets defaults.
    SchemaCheck.Fields shape = operation.body();
    if (shape != null && (raw.body().length > 0 || operation.query().isEmpty())) {
      shape.fillIn(body);
    }
    return new Call(path, query, raw.headers(), requestId, body, bytes, digest);
  }

  /** The body as it was sent, without defaults. */
  private static ObjectNode body(Operation operation, Raw raw) {
    SchemaCheck.Fields shape = operation.body();
    if (raw.body().length == 0 && (shape == null || !operation.bodyRequired())) {
      return JsonNodeFactory.instance.objectNode();
    }
    if (shape == null) {
      throw StorageException.invalid(
          Contract.BODY, operation.id() + " takes no request body.", "Send none.");
    }
    if (raw.body().length == 0) {
      throw StorageException.invalid(
          Contract.BODY, "The request body is missing.", "Send a JSON object.");
    }
    JsonNode body = JsonText.read(raw.body());
    shape.check(body, Contract.BODY);
    return (ObjectNode) body;
  }

  /**
   * Requires the JSON content type. A web page can make a browser send any other type without
   * asking the agent first. So a page's POST and PUT need the type even without a body. Browsers
   * name the page in each of these requests.
   */
  private static void checkContentType(Operation operation, Raw raw) {
    boolean changes = operation.method().equals("POST") || operation.method().equals("PUT");
    boolean typed = changes && (raw.contentType() != null || raw.page() || operation.data());
    if (!typed && raw.body().length == 0) {
      return;
    }
    String wanted = operation.data() ? Answer.BYTES : Answer.JSON;
    String given = raw.contentType() == null ? "" : raw.contentType();
    int end = given.indexOf(';');
    String type = (end < 0 ? given : given.substring(0, end)).strip().toLowerCase(Locale.ROOT);
    if (!type.equals(wanted)) {
      throw StorageException.invalid(
          "Content-Type",
          given.isEmpty()
              ? "The request has no Content-Type, which must be " + wanted + "."
              : "Content-Type is \""
                  + SchemaCheck.shortened(given)
                  + "\" and must be "
                  + wanted
                  + ".",
          "Send Content-Type: " + wanted + ".");
    }
  }

  private static Map<String, String> query(@Nullable String text) {
    Map<String, String> query = new HashMap<>();
    if (text == null || text.isEmpty()) {
      return query;
    }
    for (String pair : text.split("&", -1)) {
      int equals = pair.indexOf('=');
      String name = decoded(equals < 0 ? pair : pair.substring(0, equals), "query", true);
      String value = equals < 0 ? "" : decoded(pair.substring(equals + 1), name, true);
      if (query.put(name, value) != null) {
        String shown = SchemaCheck.shortened(name);
        throw StorageException.invalid(shown, shown + " is given twice.", "Give it once.");
      }
    }
    return query;
  }

  private static String decoded(String text, String name, boolean plusIsSpace) {
    if (text.indexOf('%') < 0 && !(plusIsSpace && text.indexOf('+') >= 0)) {
      return text;
    }
    try {
      String escaped = plusIsSpace ? text : text.replace("+", "%2B");
      return URLDecoder.decode(escaped, StandardCharsets.UTF_8);
    } catch (IllegalArgumentException e) {
      throw StorageException.invalid(
          name,
          SchemaCheck.shortened(name) + " has a broken % escape.",
          "Write % as %25, and other bytes as % and two hexadecimal digits.");
    }
  }
}
