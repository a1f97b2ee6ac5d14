package io.quarry.agent.check;

import io.quarry.common.api.OpenInfo;
import io.quarry.common.api.OpenInfo.State;
import io.quarry.common.api.Problem;
import io.quarry.coordinator.plan.Open;
import io.quarry.coordinator.plan.RepositoryState;
import java.io.IOException;
import java.time.Instant;
import java.util.List;

/**
 * Finds images that are open for a user that seems to be gone. Only an operator can confirm that,
 * or the host itself when its agent is back. A VM can outlive the agent of its host.
 */
final class AbsentUsers {
  private final OpenReview review;
  private final Activity activity;

  /** When an upload was last active. */
  interface Activity {
    Instant of(Open upload) throws IOException;
  }

  AbsentUsers(OpenReview review, Activity activity) {
    this.review = review;
    this.activity = activity;
  }

  /** Call this only on a thread that may wait for the storage. */
  void find(RepositoryState state, List<Problem> found) throws IOException {
    for (Open open : state.opens().values()) {
      if (open.fills() != null) {
        upload(open, found);
      } else {
        use(open, found);
      }
    }
  }

  private void use(Open open, List<Problem> found) {
    State state = review.of(open);
    String host = open.hostId();
    String vouch = "quarry open close --host " + host + " --dead";
    String who = (open.owner() == null ? "a process" : open.owner()) + " has it open on " + host;
    switch (state) {
      case IN_USE, IDLE -> {}
      case HOST_ABSENT ->
          found.add(
              stale(
                  open,
                  who + ", which does not answer",
                  "start that host's agent again; if the host is dead for certain, say so with"
                      + " fenceHost (quarry host fence "
                      + host
                      + ")"));
      case HOST_REBOOTED ->
          found.add(
              stale(
                  open,
                  who + ", which has booted since",
                  "connect the repository on that host, whose agent ends the open then; or vouch"
                      + " for its end with closeOpens ("
                      + vouch
                      + ")"));
      case HOST_DIFFERS ->
          found.add(
              stale(
                  open,
                  who + "; another machine has that name now, or its agent has lost its key",
                  "make sure that the machine of that time is off, and say so with closeOpens ("
                      + vouch
                      + ")"));
      case OLDER_THAN_BOOT ->
          found.add(
              stale(
                  open,
                  who + " since " + open.since() + ", and that host has booted after that",
                  "make sure that the user has ended, and say so with closeOpens (" + vouch + ")"));
    }
  }

  private void upload(Open open, List<Problem> found) throws IOException {
    OpenInfo.Upload upload = review.upload(activity.of(open));
    if (review.of(upload) == State.IDLE) {
      found.add(
          stale(
              open,
              "an upload into it has received nothing since "
                  + upload.activeAt()
                  + ", and ends by itself at "
                  + upload.endsAt(),
              "go on with the upload, or give it up with closeOpen (quarry open close REPO "
                  + open.id()
                  + ")"));
    }
  }

  private static Problem stale(Open open, String reason, String remedy) {
    return new Problem(Problem.Kind.STALE_OPEN, open.imageId(), open.id(), reason, remedy);
  }
}
