package io.quarry.coordinator.plan;

import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.StorageException;
import java.util.Arrays;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Takes the place of a request of which nobody knows what became: it is committed under that
 * request's id, so whoever still holds that one, however long it slept, finds its id used. What was
 * committed before stays, and is the answer.
 *
 * @param refusal of another try of the request, which all are told from now on; null when the
 *     caller has given it up
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

  /** What those are told who come with the request later. */
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
