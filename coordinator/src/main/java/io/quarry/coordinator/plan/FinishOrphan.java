package io.quarry.coordinator.plan;

/** A stray file was removed, or turned out to be named by a volume. */
public record FinishOrphan(String fixId) implements Request {
  public FinishOrphan {
    Checked.internal("fixId", fixId);
  }

  @Override
  public Reply plan(Transaction draft) {
    FixState fix = draft.state().fixes().get(fixId);
    if (fix != null && fix.file() == null) {
      throw PlanErrors.stale(fixId, "it is not about a stray file");
    }
    draft.dropFix(fixId);
    return draft.reply(this, fixId);
  }

  /** As logs know it. */
  @Override
  public String operation() {
    return "finishStray";
  }

  @Override
  public boolean freesSpace() {
    return true;
  }
}
