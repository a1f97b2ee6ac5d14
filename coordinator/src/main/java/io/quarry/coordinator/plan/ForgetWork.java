package io.quarry.coordinator.plan;

/** Drops the claims and checkpoints of a fix that is done; does nothing when there are none. */
public record ForgetWork(String fixId) implements Request {
  public ForgetWork {
    Checked.internal("fixId", fixId);
  }

  @Override
  public Reply plan(Transaction transaction) {
    Epoch newest = transaction.state().work().epochs().newest(fixId);
    if (newest != null) {
      transaction.add(new Change.DropEpochs(fixId, newest.epoch()));
    }
    return transaction.reply(this, fixId);
  }

  @Override
  public boolean freesSpace() {
    return true;
  }
}
