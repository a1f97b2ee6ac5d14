package io.quarry.coordinator.plan;

import io.quarry.common.api.StorageException;
import io.quarry.coordinator.plan.FixState.Worker;
import java.util.Map;

/**
 * The SDM gives light fixes to a host, each under its next epoch. The previous holder may still
 * work on the fix: the files of two epochs differ, and the first epoch to publish wins.
 *
 * @param epochs by fix id, as the SDM saw them; a fix with a newer epoch is left alone
 */
public record GrantFixes(Worker worker, Map<String, Long> epochs) implements Request {
  /** Fixes of one request; more would delay other requests. */
  private static final int FIXES_MAX = 1_000;

  public GrantFixes {
    Checked.worker(worker);
    epochs = Checked.numbers("epochs", epochs);
    if (epochs.size() > FIXES_MAX) {
      throw StorageException.invalid(
          "epochs", epochs.size() + " fixes are too many", "grant " + FIXES_MAX + " at a time");
    }
    epochs.keySet().forEach(fixId -> Checked.internal("fixId", fixId));
  }

  @Override
  public Reply plan(Transaction transaction) {
    epochs.forEach((fixId, epoch) -> {
      FixState fix = transaction.state().fixes().get(fixId);
      if (fix != null && fix.runnable() && !fix.heavy() && fix.epoch() == epoch) {
        transaction.add(new Change.PutFix(fix.grantedTo(worker)));
      }
    });
    return transaction.reply(this, worker.hostId());
  }

  /** A clean needs a grant before it can free space. */
  @Override
  public boolean freesSpace() {
    return epochs.keySet().stream().anyMatch(FixState::frees);
  }
}
