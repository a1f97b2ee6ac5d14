package io.quarry.agent.repository;

import io.quarry.agent.storage.RepositoryStorage;
import io.quarry.common.api.StorageException;
import io.quarry.coordinator.log.LogState;
import io.quarry.coordinator.plan.Reply;
import io.quarry.coordinator.plan.Request;
import io.quarry.coordinator.plan.RequestId;
import java.io.IOException;

/** A repository as the code that works on its images sees it. */
public interface Repository {
  /** The name that callers use. */
  String repoId();

  /** The repository's key, the same wherever the repository is connected. */
  String key();

  RepositoryStorage storage();

  /** Whether the repository's storage has answered lately. */
  boolean responsive();

  /** The state on this host, which may lag. */
  LogState state();

  /** Reads the log to its end: the returned state is as new as this call. */
  LogState refresh() throws IOException;

  /** A state that includes that commit, which a caller has been told of. */
  LogState atLeast(long commit);

  /**
   * Commits a request, wherever the SDM is, and returns when the commit is durable.
   *
   * @throws StorageException SDM_UNAVAILABLE means that the request was not committed,
   *     OUTCOME_UNKNOWN that the outcome cannot be known yet; all other codes are refusals
   */
  Reply commit(RequestId requestId, Request request);

  /** Commits a request that does not come from a caller. */
  default Reply commit(String requestId, Request request) {
    return commit(RequestId.of(requestId), request);
  }
}
