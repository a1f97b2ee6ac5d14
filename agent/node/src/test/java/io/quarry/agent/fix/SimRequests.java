package io.quarry.agent.fix;

import io.quarry.agent.repository.SubmitAttempts;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.StorageException;
import io.quarry.coordinator.plan.CancelRequest;
import io.quarry.coordinator.plan.Reply;
import io.quarry.coordinator.plan.Request;
import io.quarry.coordinator.plan.RequestId;
import io.quarry.coordinator.sim.Baton;
import io.quarry.coordinator.sim.Life;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionException;

/** How requests come to an SDM of the simulation: late, twice, with answers that get lost. */
final class SimRequests {
  private static final int TRIES_MAX = 6;
  private static final int LOST_ANSWERS = 40;
  private static final int LATE_REQUESTS = 10;
  private static final int SLEEPING_AGENTS = 30;

  private final SimWorld world;

  /** The work of sleeping agents. */
  private final List<Runnable> asleep = new ArrayList<>();

  SimRequests(SimWorld world) {
    this.world = world;
  }

  boolean nobodySleeps() {
    return asleep.isEmpty();
  }

  private void submitLate(SimPlace place, String requestId, Request request) {
    SimRepository leader = world.leader(place);
    if (leader != null) {
      world.count("woken");
      var _ = leader.sdm().submit(id(requestId, request), request);
    }
  }

  /**
   * Wakes agents up, which then continue calls that their callers have repeated elsewhere
   * meanwhile.
   */
  void wakeUp(Baton.Actor self) {
    while (!world.over()) {
      var _ = self.await(world::over, "sleeps");
      if (!asleep.isEmpty()) {
        asleep.remove(world.random().nextInt(asleep.size())).run();
      }
    }
  }

  /**
   * Brings a request to an SDM, as agents do for callers and for themselves.
   *
   * @param lost told when a try ended with an unknown outcome
   */
  Reply submit(SimPlace place, Life asker, String requestId, Request request, Runnable lost) {
    if (!world.calm() && world.random().nextInt(LATE_REQUESTS) == 0) {
      var _ = asker.await(() -> false, "has not sent " + request);
    }
    SubmitAttempts tries = new SubmitAttempts(id(requestId, request), request);
    for (int i = 0; i < TRIES_MAX; i++) {
      Reply reply =
          tries.once(asked -> {
            SubmitAttempts.Outcome outcome = submitOnce(place, asker, requestId, asked);
            if (outcome.maybeCommitted()) {
              lost.run();
            }
            return outcome;
          });
      if (reply != null) {
        return reply;
      }
    }
    throw new StorageException(
        tries.maybeCommitted() ? ErrorCode.OUTCOME_UNKNOWN : ErrorCode.SDM_UNAVAILABLE,
        "no answer",
        place.key(),
        "repeat the call");
  }

  /** A caller that cancels a call does not know the call's content. */
  private static RequestId id(String requestId, Request request) {
    return request instanceof CancelRequest
        ? RequestId.of(requestId)
        : new RequestId(requestId, Integer.toHexString(request.toString().hashCode()));
  }

  private SubmitAttempts.Outcome submitOnce(
      SimPlace place, Life asker, String requestId, Request request) {
    SimRepository leader = world.leader(place);
    if (leader == null) {
      var _ = asker.await(() -> world.led(place), "waits for an SDM of " + place.key());
      return SubmitAttempts.Outcome.nothing(null);
    }
    if (!world.calm() && world.random().nextInt(SLEEPING_AGENTS) == 0) {
      asleep.add(() -> submitLate(place, requestId, request));
      return SubmitAttempts.Outcome.unknown(null);
    }
    var answer = leader.sdm().submit(id(requestId, request), request);
    if (!asker.await(answer::isDone, "asks for " + request)
        || (!world.calm() && world.random().nextInt(LOST_ANSWERS) == 0)) {
      return SubmitAttempts.Outcome.unknown(null);
    }
    try {
      return SubmitAttempts.Outcome.of(answer.join());
    } catch (CompletionException e) {
      if (!(e.getCause() instanceof StorageException refused)) {
        throw new AssertionError(request + " failed", e.getCause());
      }
      if (refused.code() == ErrorCode.OUTCOME_UNKNOWN) {
        return SubmitAttempts.Outcome.unknown(null);
      }
      if (refused.code().retryable()) {
        return SubmitAttempts.Outcome.nothing(null);
      }
      throw refused;
    }
  }
}
