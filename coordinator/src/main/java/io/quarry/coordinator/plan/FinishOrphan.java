package io.quarry.coordinator.plan;

/** A worker removed a orphaned file, or found that a volume names the file. */
public record FinishOrphan(String fixId) implements Request {
  public FinishOrphan {
    Checked.internal("fixId", fixId);
  }

  @Override
  public Reply plan(Transaction transaction) {
    FixState fix = transaction.state().fixes().get(fixId);
    if (fix != null && fix.file() == null) {
      throw PlanErrors.stale(fixId, "it is not about an orphaned file");
    }
    transaction.dropFix(fixId);
    return transaction.reply(this, fixId);
  }

  @Override
  public boolean freesSpace() {
    return true;
  }
}
