package io.quarry.coordinator.plan;

/** A stray file was removed, or turned out to be named by a volume. */
public record FinishStray(String fixId) implements Request {
  public FinishStray {
    Checked.internal("fixId", fixId);
  }

  @Override
  public Reply plan(Draft draft) {
    FixState fix = draft.state().fixes().get(fixId);
    if (fix != null && fix.file() == null) {
      throw Refusal.stale(fixId, "it is not about a stray file");
    }
    draft.dropFix(fixId);
    return draft.reply(this, fixId);
  }

  @Override
  public boolean freesSpace() {
    return true;
  }
}
