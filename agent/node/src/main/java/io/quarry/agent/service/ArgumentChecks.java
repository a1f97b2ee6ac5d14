package io.quarry.agent.service;

import io.quarry.agent.call.CurrentCall;
import io.quarry.agent.repository.ForwardedRequest;
import io.quarry.common.api.StorageException;
import io.quarry.common.model.Limits;
import io.quarry.coordinator.plan.RequestId;
import java.util.UUID;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Checks the names that callers give, before any step uses them. */
final class ArgumentChecks {
  private static final Pattern NAME =
      Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0," + (Limits.NAME_CHARS_MAX - 1) + "}");

  private ArgumentChecks() {}

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
    ForwardedRequest.checkRequestId(given);
    return new RequestId(given, CurrentCall.get().digest());
  }
}
