package io.quarry.agent.repository;

import io.quarry.agent.format.RepositoryStorage;
import io.quarry.common.api.StorageException;
import io.quarry.coordinator.log.LogState;
import io.quarry.coordinator.plan.Reply;
import io.quarry.coordinator.plan.Request;
import io.quarry.coordinator.plan.RequestId;
import java.io.IOException;

/** A repository as those who work on its images see it. */
public interface Repository {
  /** As callers name it. */
  String repoId();

  /** The same wherever it is connected. */
  String key();

  RepositoryStorage storage();

  /** Whether its storage has answered lately. */
  boolean responsive();

  /** The state on this host, which may be late. */
  LogState state();

  /** Reads the log to its end: the answer is as new as this call. */
  LogState refresh() throws IOException;

  /** A state with that commit in it, which somebody has been told of. */
  LogState atLeast(long commit);

  /**
   * Commits a request, wherever the SDM is, and returns when it is durable.
   *
   * @throws StorageException SDM_UNAVAILABLE means that nothing was committed, OUTCOME_UNKNOWN that
   *     nobody can tell yet; others refuse it
   */
  Reply commit(RequestId requestId, Request request);

  /** As above, for a request that is not a caller's. */
  default Reply commit(String requestId, Request request) {
    return commit(RequestId.of(requestId), request);
  }
}
