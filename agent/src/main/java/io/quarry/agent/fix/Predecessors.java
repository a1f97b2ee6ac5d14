package io.quarry.agent.fix;

import io.quarry.coordinator.plan.FixState.Worker;
import java.io.IOException;

/**
 * Tells whether every earlier epoch of a fix is over, so that its file may be gone on with. Only
 * proof counts: that the worker said so after its children had ended, or that its guardian saw the
 * whole host process die.
 */
final class Predecessors {
  private final RunningFix run;

  Predecessors(RunningFix run) {
    this.run = run;
  }

  boolean allOver(Checkpoint newest) throws IOException {
    if (!over(newest)) {
      return false;
    }
    for (long epoch = run.epoch() - 1; epoch > newest.epoch(); epoch--) {
      FixStore.ClaimFile claim = run.store().claimOf(run.fix().id(), epoch);
      if (claim == null || !dead(claim.worker())) {
        return false;
      }
    }
    return true;
  }

  private boolean over(Checkpoint checkpoint) {
    return checkpoint.released() || dead(new Worker(checkpoint.hostId(), checkpoint.incarnation()));
  }

  /** An earlier epoch in this very life has ended, or this one would not have been claimed. */
  private boolean dead(Worker worker) {
    return worker.equals(run.worker()) || run.around().proof().dead(worker);
  }
}
