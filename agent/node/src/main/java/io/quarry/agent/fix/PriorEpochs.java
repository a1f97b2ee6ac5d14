package io.quarry.agent.fix;

import io.quarry.agent.storage.Checkpoint;
import io.quarry.agent.storage.Claim;
import io.quarry.agent.storage.WorkStore;
import java.io.IOException;

/**
 * Tells whether every earlier epoch is over, so that a worker may continue in its file. Only proof
 * counts. Either the worker reported its end after its children had ended, or its guardian saw the
 * whole host process die.
 *
 * @param epoch the asking worker's own
 */
public record PriorEpochs(WorkStore store, String fixId, long epoch, PriorWriterProof proof) {
  static PriorEpochs of(RunningFix run) {
    String fixId = run.fix().id();
    PriorWriterProof proof = run.context().own().proof(fixId, run.worker(), run.context().proof());
    return new PriorEpochs(run.store(), fixId, run.epoch(), proof);
  }

  /**
   * All claims after that checkpoint must be over, too: their workers may write to its file. A
   * worker never continues the file of a later epoch, since that epoch's worker has taken over.
   */
  public boolean allOver(Checkpoint newest) throws IOException {
    if (newest.epoch() > epoch || !over(newest)) {
      return false;
    }
    for (long between = epoch - 1; between > newest.epoch(); between--) {
      Claim claim = store.claimOf(fixId, between);
      if (claim == null || !proof.dead(claim.worker())) {
        return false;
      }
    }
    return true;
  }

  private boolean over(Checkpoint checkpoint) {
    return checkpoint.released() || proof.dead(checkpoint.worker());
  }
}
