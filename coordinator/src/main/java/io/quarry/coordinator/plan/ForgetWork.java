package io.quarry.coordinator.plan;

/** Drops the claims and checkpoints of a fix that is done; does nothing when there are none. */
public record ForgetWork(String fixId) implements Request {
  public ForgetWork {
    Checked.internal("fixId", fixId);
  }

  @Override
  public Reply plan(Transaction transaction) {
    if (transaction.state().work().epochs().newest(fixId) != null) {
      transaction.add(new Change.DropEpochs(fixId));
    }
    return transaction.reply(this, fixId);
  }

  @Override
  public boolean freesSpace() {
    return true;
  }
}
