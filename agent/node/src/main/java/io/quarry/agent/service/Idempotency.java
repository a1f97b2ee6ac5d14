package io.quarry.agent.service;

import io.quarry.agent.repository.ConnectedRepository;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.StorageException;
import io.quarry.coordinator.plan.CancelRequest;
import io.quarry.coordinator.plan.Reply;
import io.quarry.coordinator.plan.RequestId;
import java.util.EnumSet;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Supplier;

/**
 * Answers a repeated call like the first one. The first call may have changed what later look-ups
 * find. For example, a copied disk is broken until its overlay exists, and a base may have been
 * removed since.
 */
final class Idempotency {
  /** Codes that depend on the storage and not on the call, while the log cannot be asked. */
  private static final Set<ErrorCode> OF_THE_STORAGE =
      EnumSet.of(ErrorCode.REPOSITORY_DAMAGED, ErrorCode.STORAGE_MISMATCH, ErrorCode.AGENT_TOO_OLD);

  private final Repositories repositories;

  Idempotency(Repositories repositories) {
    this.repositories = repositories;
  }

  /**
   * @param repeated makes the answer from the committed reply, or refuses since the id belongs to
   *     another operation
   */
  <T> T once(
      RequestId requestId,
      ConnectedRepository target,
      Supplier<T> firstTime,
      Function<Reply, T> repeated) {
    Reply known = target.state().repository().requests().find(requestId.value());
    if (known != null) {
      return answer(target, known, repeated);
    }
    try {
      return firstTime.get();
    } catch (StorageException refusal) {
      if (refusal.code().retryable() || OF_THE_STORAGE.contains(refusal.code())) {
        throw refusal;
      }
      Reply earlier = repositories.newest(target).repository().requests().find(requestId.value());
      if (earlier == null || CancelRequest.made(earlier)) {
        throw refusal;
      }
      return answer(target, earlier, repeated);
    }
  }

  /** No caller gets an answer, good or bad, that a power cut could revoke. */
  private <T> T answer(ConnectedRepository target, Reply reply, Function<Reply, T> repeated) {
    var _ = repositories.durable(target);
    return repeated.apply(reply);
  }
}
