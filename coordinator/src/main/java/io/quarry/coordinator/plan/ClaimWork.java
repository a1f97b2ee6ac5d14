package io.quarry.coordinator.plan;

import io.quarry.coordinator.plan.FixState.Worker;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * A worker takes an epoch of a heavy fix, unless the epoch or a later one is taken. A repeated
 * request keeps the first claim. Two calls of one worker are two claims: each would write. Only for
 * logs with {@link Feature#EXTENTS}: other storages keep claims as files.
 *
 * @param claimId another one for each call
 */
public record ClaimWork(String fixId, long epoch, Worker worker, String claimId, Instant since)
    implements Request {
  public ClaimWork {
    Checked.internal("fixId", fixId);
    Checked.positive("epoch", epoch);
    Checked.worker(worker);
    Checked.name("claimId", claimId);
    var _ = Checked.present("since", since);
  }

  @Override
  public Reply plan(Transaction transaction) {
    RepositoryState state = transaction.state();
    if (!state.schema().has(Feature.EXTENTS)) {
      throw PlanErrors.noExtents("fixId");
    }
    Epochs epochs = state.work().epochs();
    Epoch held = epochs.of(fixId, epoch);
    if (held == null) {
      requireNewer(epochs.newest(fixId));
      Epoch claimed = new Epoch(fixId, epoch, worker, claimId, since, null);
      transaction.add(new Change.PutEpoch(claimed));
    } else if (!held.isOf(worker, claimId)) {
      throw PlanErrors.epochTaken(epoch, held);
    }
    return transaction.reply(this, fixId);
  }

  /** The state does not hold all earlier epochs any more. */
  private void requireNewer(@Nullable Epoch newest) {
    if (newest != null && newest.epoch() > epoch) {
      throw PlanErrors.epochTaken(epoch, newest);
    }
  }
}
