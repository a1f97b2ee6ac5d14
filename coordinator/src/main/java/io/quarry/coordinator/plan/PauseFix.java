package io.quarry.coordinator.plan;

/** No worker takes the fix until it is resumed; an existing checkpoint stays. */
public record PauseFix(String fixId) implements Request {
  public PauseFix {
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
    if (!fix.paused()) {
      transaction.add(new Change.PutFix(fix.paused(transaction.now())));
    }
    return transaction.reply(this, fixId);
  }
}
