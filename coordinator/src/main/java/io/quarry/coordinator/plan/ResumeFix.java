package io.quarry.coordinator.plan;

/** Ends a pause. The fix runs only if it is requested. */
public record ResumeFix(String fixId) implements Request {
  public ResumeFix {
    Checked.internal("fixId", fixId);
  }

  @Override
  public String answeredWith() {
    return fixId;
  }

  @Override
  public Reply plan(Transaction transaction) {
    FixState fix = transaction.state().fixes().get(fixId);
    if (fix == null) {
      throw PlanErrors.fixNotFound(fixId);
    }
    if (fix.paused()) {
      transaction.add(new Change.PutFix(fix.resumed()));
    }
    return transaction.reply(this, fixId);
  }
}
