package io.quarry.coordinator.plan;

/** Nobody is to work on the fix until it is resumed; a checkpoint that there is stays. */
public record PauseFix(String fixId) implements Request {
  public PauseFix {
    Checked.internal("fixId", fixId);
  }

  @Override
  public String answeredWith() {
    return fixId;
  }

  @Override
  public Reply plan(Transaction draft) {
    FixState fix = draft.state().fixes().get(fixId);
    if (fix == null) {
      throw PlanErrors.fixNotFound(fixId);
    }
    if (!fix.paused()) {
      draft.add(new Change.PutFix(fix.paused(draft.now())));
    }
    return draft.reply(this, fixId);
  }
}
