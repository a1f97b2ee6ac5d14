package io.quarry.agent.chaos;

import java.util.List;

/** What the logs say became of requests. */
interface LoggedOutcomes {
  /** One request's part of a commit. */
  record Effect(String repoId, long commit, String operation, String id) {}

  List<Effect> effects(String requestId);

  /** Whether the commit was among those that could not be told. */
  boolean untold(String repoId, long commit);
}
