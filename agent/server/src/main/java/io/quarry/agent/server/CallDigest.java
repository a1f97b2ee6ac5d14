package io.quarry.agent.server;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.cfg.JsonNodeFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.quarry.common.api.Json;
import io.quarry.common.api.StorageException;
import io.quarry.common.client.JsonHttp;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.Base64;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;

/**
 * Distinguishes a repeated call from another call under the same request id. The digest covers what
 * the caller set, without defaults, which may change from release to release.
 */
final class CallDigest {
  /** Of SHA-256: enough to detect a caller's mistake. */
  private static final int BYTES = 16;

  private static final JsonMapper SORTED =
      Json.MAPPER.rebuild().enable(JsonNodeFeature.WRITE_PROPERTIES_SORTED).build();

  private static final Pattern TEXT = Pattern.compile("[0-9A-Za-z_-]{1,64}");

  private CallDigest() {}

  /** Checks the digest from another agent that passes the call on. */
  static String forwarded(String digest) {
    if (!TEXT.matcher(digest).matches()) {
      throw StorageException.invalid(
          JsonHttp.CALL_DIGEST, "The digest of the call is not usable.", "Leave it out.");
    }
    return digest;
  }

  /**
   * @param path the path's variables; the digest leaves out the repoId, which differs from host to
   *     host
   * @param body as the caller sent it; the digest leaves out hints by repoId, too
   */
  static String of(
      String operation, Map<String, String> path, Map<String, String> query, ObjectNode body) {
    ObjectNode call = SORTED.createObjectNode();
    call.put("operation", operation);
    new TreeMap<>(path).forEach(call.putObject("path")::put);
    ((ObjectNode) call.path("path")).remove("repoId");
    new TreeMap<>(query).forEach(call.putObject("query")::put);
    ObjectNode sent = body.deepCopy();
    if (sent.path("options") instanceof ObjectNode options) {
      options.remove("imageHints");
      options.remove("participatingRepositories");
    }
    call.set("body", sent);
    try {
      byte[] hash =
          MessageDigest.getInstance("SHA-256")
              .digest(SORTED.writeValueAsString(call).getBytes(StandardCharsets.UTF_8));
      return Base64.getUrlEncoder().withoutPadding().encodeToString(Arrays.copyOf(hash, BYTES));
    } catch (NoSuchAlgorithmException | JsonProcessingException e) {
      throw new IllegalStateException("a call that was read cannot be written", e);
    }
  }
}
