package io.quarry.agent.service;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.quarry.agent.call.CurrentCall;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.StorageException;
import io.quarry.common.model.Limits;
import io.quarry.coordinator.plan.RequestId;
import java.nio.charset.StandardCharsets;
import java.util.UUID;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Checks what callers give, before anything is done with it. */
final class Names {
  private static final Pattern NAME =
      Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0," + (Limits.NAME_CHARS_MAX - 1) + "}");
  private static final Pattern REQUEST_ID =
      Pattern.compile("[\\x21-\\x7e]{1," + Limits.NAME_CHARS_MAX + "}");

  private Names() {}

  static void check(String subject, String name) {
    if (!NAME.matcher(name).matches()) {
      throw StorageException.invalid(
          subject,
          subject + " is not a name: " + name.substring(0, Math.min(40, name.length())),
          "use letters, digits, dots, dashes and underscores, at most " + Limits.NAME_CHARS_MAX);
    }
  }

  /** The caller's request id, bound to the call that is being served; or a fresh one. */
  static RequestId requestId(@Nullable String given) {
    if (given == null) {
      return RequestId.of(UUID.randomUUID().toString());
    }
    if (!REQUEST_ID.matcher(given).matches()) {
      throw StorageException.invalid(
          "Idempotency-Key",
          "the request id is not usable",
          "use 1 to " + Limits.NAME_CHARS_MAX + " printable ASCII characters without spaces");
    }
    return new RequestId(given, CurrentCall.digest());
  }

  static void checkUserData(ObjectNode userData) {
    int bytes = userData.toString().getBytes(StandardCharsets.UTF_8).length;
    if (bytes > Limits.USER_DATA_BYTES_MAX) {
      throw new StorageException(
          ErrorCode.PAYLOAD_TOO_LARGE,
          "userData takes " + bytes + " bytes of JSON",
          "userData",
          "keep it within " + Limits.USER_DATA_BYTES_MAX + " bytes");
    }
  }
}
