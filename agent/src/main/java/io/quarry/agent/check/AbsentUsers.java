package io.quarry.agent.check;

import io.quarry.common.api.Problem;
import io.quarry.coordinator.cluster.HostRecord;
import io.quarry.coordinator.plan.Open;
import io.quarry.coordinator.plan.RepositoryState;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Finds images that are open for somebody who seems to be gone. Only a person can say so: a VM may
 * well outlive the agent of its host.
 */
final class AbsentUsers {
  /** Nobody needs longer from one range of an upload to the next. */
  private static final Duration UPLOAD_LONG = Duration.ofDays(1);

  private final Set<String> hosts;
  private final Instant now;

  /**
   * @param live none at all means that nobody knows
   */
  AbsentUsers(List<HostRecord> live, Instant now) {
    this.hosts = live.stream().map(HostRecord::hostId).collect(Collectors.toSet());
    this.now = now;
  }

  void find(RepositoryState state, List<Problem> found) {
    for (Open open : state.opens().values()) {
      if (open.fills() != null) {
        upload(open, found);
      } else if (!hosts.isEmpty() && !hosts.contains(open.hostId())) {
        found.add(
            new Problem(
                Problem.Kind.STALE_OPEN,
                open.imageId(),
                open.id(),
                user(open) + " has it open on " + open.hostId() + ", which does not answer",
                "start that host's agent again; if the host is dead for certain, say so with"
                    + " fenceHost (quarry host fence "
                    + open.hostId()
                    + ")"));
      }
    }
  }

  private void upload(Open open, List<Problem> found) {
    if (Duration.between(open.since(), now).compareTo(UPLOAD_LONG) > 0) {
      found.add(
          new Problem(
              Problem.Kind.STALE_OPEN,
              open.imageId(),
              open.id(),
              "an upload into it was begun at " + open.since() + " and is not finished",
              "go on with the upload, or give it up by closing it"));
    }
  }

  private static String user(Open open) {
    return open.owner() == null ? "somebody" : open.owner();
  }
}
