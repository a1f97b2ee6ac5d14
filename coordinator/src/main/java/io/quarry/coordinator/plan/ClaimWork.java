package io.quarry.coordinator.plan;

import io.quarry.coordinator.plan.FixState.Worker;
import java.time.Instant;

/**
 * A worker takes an epoch of a heavy fix, unless another worker has the epoch. A worker that
 * repeats its claim keeps the first one. Only for logs with {@link Feature#EXTENTS}: other storages
 * keep claims as files.
 */
public record ClaimWork(String fixId, long epoch, Worker worker, Instant since) implements Request {
  public ClaimWork {
    Checked.internal("fixId", fixId);
    Checked.positive("epoch", epoch);
    Checked.worker(worker);
    var _ = Checked.present("since", since);
  }

  @Override
  public Reply plan(Transaction transaction) {
    RepositoryState state = transaction.state();
    if (!state.schema().has(Feature.EXTENTS)) {
      throw PlanErrors.noExtents("fixId");
    }
    Epoch held = state.work().epochs().of(fixId, epoch);
    if (held == null) {
      transaction.add(new Change.PutEpoch(new Epoch(fixId, epoch, worker, since, null)));
    } else if (!held.isOf(worker)) {
      throw PlanErrors.epochTaken(held);
    }
    return transaction.reply(this, fixId);
  }
}
