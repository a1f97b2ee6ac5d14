package io.quarry.coordinator.plan;

/** The fix leaves the queue; its checkpoint stays, and a later call goes on from there. */
public record StopFix(String fixId, String error) implements Request {
  public StopFix {
    Checked.internal("fixId", fixId);
    error = FixState.cut(error);
  }

  @Override
  public Reply plan(Transaction draft) {
    FixState fix = draft.state().fixes().get(fixId);
    if (fix == null) {
      throw PlanErrors.stale(fixId, "it is done, or its image is gone");
    }
    draft.add(new Change.PutFix(fix.stopped(error)));
    return draft.reply(this, fixId);
  }

  /** What is stopped takes no more space. */
  @Override
  public boolean freesSpace() {
    return true;
  }
}
