package io.quarry.coordinator.plan;

import io.quarry.common.api.StorageException;
import io.quarry.coordinator.plan.FixState.Worker;
import java.util.Map;

/**
 * The SDM gives light fixes to a host, each under its next epoch. Whoever held one before may still
 * be at it: the files of two epochs differ, and who publishes first wins.
 *
 * @param epochs by fix id, as the SDM saw them: what was granted again meanwhile is left alone
 */
public record GrantFixes(Worker worker, Map<String, Long> epochs) implements Request {
  /** Fixes of one request; more would keep other requests waiting. */
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

  /** Nothing is cleaned that was granted to nobody. */
  @Override
  public boolean freesSpace() {
    return epochs.keySet().stream().anyMatch(FixState::frees);
  }
}
