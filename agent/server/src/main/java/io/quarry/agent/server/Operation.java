package io.quarry.agent.server;

import io.quarry.agent.server.SchemaCheck.Fields;
import io.quarry.common.api.StorageException;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * One operation of the contract, ready to check requests.
 *
 * @param id the name of the operation
 * @param path with {@code {names}}
 * @param variables the names in the path and their shapes, from left to right
 * @param query the allowed query parameters, by name
 * @param defaults values of query parameters that are left out
 * @param headers the allowed headers, by name, without the Idempotency-Key
 * @param requestId the shape of the Idempotency-Key; null when the operation takes none
 * @param body null when the operation takes none
 * @param data whether the request or the answer carries an image's bytes, unchanged and of any
 *     length
 * @param streams whether a success is a stream of server-sent events
 * @param status of a success
 */
record Operation(
    String id,
    String method,
    String path,
    List<Variable> variables,
    Map<String, SchemaCheck> query,
    Map<String, String> defaults,
    Map<String, SchemaCheck> headers,
    @Nullable SchemaCheck requestId,
    @Nullable Fields body,
    boolean bodyRequired,
    boolean data,
    boolean streams,
    int status) {

  record Variable(String name, SchemaCheck shape) {}

  void checkQuery(Map<String, String> given) {
    for (Map.Entry<String, String> parameter : given.entrySet()) {
      SchemaCheck shape = query.get(parameter.getKey());
      if (shape == null) {
        String name = SchemaCheck.shortened(parameter.getKey());
        throw StorageException.invalid(
            name,
            id + " has no query parameter " + name + ".",
            query.isEmpty()
                ? "Leave it out."
                : "Leave it out; known are "
                    + String.join(", ", query.keySet().stream().sorted().toList())
                    + ".");
      }
      shape.checkText(parameter.getValue(), parameter.getKey());
    }
  }
}
