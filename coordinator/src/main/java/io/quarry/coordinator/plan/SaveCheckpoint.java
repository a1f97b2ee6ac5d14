package io.quarry.coordinator.plan;

import io.quarry.coordinator.plan.FixState.Worker;

/**
 * The worker of an epoch says how far it is. The data that the checkpoint counts is durable.
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
    Epoch held = transaction.state().work().epochs().of(fixId, epoch);
    if (held == null || !held.isOf(worker)) {
      throw PlanErrors.epochNotHeld(fixId, epoch, worker, held);
    }
    transaction.add(new Change.PutEpoch(held.at(content)));
    return transaction.reply(this, fixId);
  }
}
