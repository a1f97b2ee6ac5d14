package io.quarry.coordinator.plan;

/** The fix leaves the queue; its checkpoint stays, and a later fix call continues from there. */
public record StopFix(String fixId, String error) implements Request {
  public StopFix {
    Checked.internal("fixId", fixId);
    error = FixState.cut(error);
  }

  @Override
  public Reply plan(Transaction transaction) {
    FixState fix = transaction.state().fixes().get(fixId);
    if (fix == null) {
      throw PlanErrors.stale(fixId, "it is done, or its image is gone");
    }
    transaction.add(new Change.PutFix(fix.stopped(error)));
    return transaction.reply(this, fixId);
  }

  /** A stopped fix takes no more space. */
  @Override
  public boolean freesSpace() {
    return true;
  }
}
