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
 * A repeated call is answered like the first one, also when that has changed what is looked up
 * before anything is committed: a copied disk is broken until its overlay is there, a base may have
 * been removed since.
 */
final class Idempotency {
  /** These say nothing of the call, and the log cannot be asked. */
  private static final Set<ErrorCode> OF_THE_STORAGE =
      EnumSet.of(ErrorCode.REPOSITORY_DAMAGED, ErrorCode.STORAGE_MISMATCH, ErrorCode.AGENT_TOO_OLD);

  private final Repositories repositories;

  Idempotency(Repositories repositories) {
    this.repositories = repositories;
  }

  /**
   * @param repeated makes the answer of what was committed, or says that it was another operation
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

  /** Nobody is told, good news or bad, what a power cut could take back. */
  private <T> T answer(ConnectedRepository target, Reply reply, Function<Reply, T> repeated) {
    var _ = repositories.durable(target);
    return repeated.apply(reply);
  }
}
