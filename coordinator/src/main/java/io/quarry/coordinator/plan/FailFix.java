package io.quarry.coordinator.plan;

/**
 * A try failed for a reason other than I/O or a crash. After too many failures the fix is parked.
 */
public record FailFix(String fixId, String error) implements Request {
  public FailFix {
    Checked.internal("fixId", fixId);
    error = FixState.cut(error);
  }

  @Override
  public Reply plan(Transaction transaction) {
    FixState fix = transaction.state().fixes().get(fixId);
    if (fix == null) {
      throw PlanErrors.stale(fixId, "it is done, or its image is gone");
    }
    transaction.add(new Change.PutFix(fix.failed(error, transaction.now())));
    return transaction.reply(this, fixId);
  }

  /** A clean that fails again and again has to be parked on a full storage, too. */
  @Override
  public boolean freesSpace() {
    return FixState.frees(fixId);
  }
}
