package io.quarry.coordinator.plan;

import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.StorageException;
import java.util.Arrays;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Takes the place of a request whose outcome is unknown, by a commit under that request's id. A
 * process that still holds the request, however long it slept, then finds the id used. If the
 * request was committed before, that commit stays and is the answer.
 *
 * @param refusal the error that all later tries of the request get; null when the caller has given
 *     the request up
 */
public record CancelRequest(@Nullable ErrorCode refusal) implements Request {
  static final String OPERATION = "cancelRequest";

  @Override
  public Reply plan(Transaction transaction) {
    return transaction.reply(this, refusal == null ? "" : refusal.name());
  }

  public static boolean made(Reply reply) {
    return reply.operation().equals(OPERATION);
  }

  /** The error for a later try of the request. */
  static StorageException refusal(String requestId, Reply made) {
    Optional<ErrorCode> code =
        Arrays.stream(ErrorCode.values()).filter(each -> each.name().equals(made.id())).findFirst();
    return new StorageException(
        code.orElse(ErrorCode.REQUEST_ID_REUSED),
        "request id " + requestId + (code.isPresent() ? " was refused before" : " was cancelled"),
        requestId,
        "use a fresh request id to try again");
  }
}
