package io.quarry.coordinator.plan;

/** A stray file was removed, or turned out to be named by a volume. */
public record FinishStray(String fixId) implements Request {
  @Override
  public Reply plan(Draft draft) {
    draft.dropFix(fixId);
    return draft.reply(this, fixId);
  }

  @Override
  public boolean freesSpace() {
    return true;
  }
}
