package io.quarry.agent.chaos;

import java.util.List;

/** The outcomes of requests by the logs. */
interface LoggedOutcomes {
  /** One request's part of a commit. */
  record Effect(String repoId, long commit, String operation, String id) {}

  List<Effect> effects(String requestId);

  /** Whether the commit is in a range without events. */
  boolean untold(String repoId, long commit);
}
