package io.quarry.coordinator.plan;

import io.quarry.coordinator.plan.FixState.Worker;

/**
 * The worker of an epoch says how far it is. The data that the checkpoint counts is durable. A
 * later worker needs no earlier epoch then, so those go.
 *
 * @param content in one line, at most {@link Epoch#CHECKPOINT_BYTES_MAX} bytes
 */
public record SaveCheckpoint(String fixId, long epoch, Worker worker, String content)
    implements Request {
  public SaveCheckpoint {
    Checked.internal("fixId", fixId);
    Checked.positive("epoch", epoch);
    Checked.worker(worker);
    Checked.checkpoint("content", content);
  }

  @Override
  public Reply plan(Transaction transaction) {
    Epochs epochs = transaction.state().work().epochs();
    Epoch held = epochs.of(fixId, epoch);
    if (held == null || !held.isOf(worker)) {
      throw PlanErrors.epochNotHeld(fixId, epoch, worker, held);
    }
    transaction.add(new Change.PutEpoch(held.at(content)));
    Epoch oldest = epochs.oldest(fixId);
    if (oldest != null && oldest.epoch() < epoch) {
      transaction.add(new Change.DropEpochs(fixId, epoch - 1));
    }
    return transaction.reply(this, fixId);
  }
}
