package io.quarry.agent.server;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.quarry.common.api.Json;
import io.quarry.common.api.StorageException;
import java.io.InputStream;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A request that keeps the contract.
 *
 * @param path the path's variables by name
 * @param query with defaults filled in
 * @param headers of the operation, by the names that the contract gives them
 * @param body with defaults filled in; empty when there was none
 * @param bytes the body of an upload, not read yet
 * @param digest of what the caller set, when the call has a request id; see {@link CallDigest}
 */
record Call(
    Map<String, String> path,
    Map<String, String> query,
    Map<String, String> headers,
    @Nullable String requestId,
    ObjectNode body,
    InputStream bytes,
    @Nullable String digest) {

  String variable(String name) {
    String value = path.get(name);
    if (value == null) {
      throw new IllegalStateException("No " + name + " in the path");
    }
    return value;
  }

  String repoId() {
    return variable("repoId");
  }

  String imageId() {
    return variable("imageId");
  }

  @Nullable String query(String name) {
    return query.get(name);
  }

  long queryNumber(String name) {
    String value = query.get(name);
    return value == null ? 0 : Long.parseLong(value);
  }

  @Nullable String header(String name) {
    return headers.get(name);
  }

  <T> T body(Class<T> type) {
    try {
      return Json.MAPPER.treeToValue(body, type);
    } catch (JsonProcessingException | IllegalArgumentException e) {
      // The contract has checked the form, so only values like a duration of P1X fail here.
      throw StorageException.invalid(
          Contract.BODY,
          "The request body cannot be understood.",
          "See /v1/openapi.yaml for its fields.");
    }
  }
}
