package io.quarry.coordinator.plan;

/** The other repository no longer needs the image. The image may go when nothing else needs it. */
public record Unpin(String pinId) implements Request {
  public Unpin {
    Checked.name("pinId", pinId);
  }

  @Override
  public Reply plan(Transaction transaction) {
    Pin pin = transaction.state().pins().get(pinId);
    if (pin != null) {
      transaction.add(new Change.DropPin(pinId));
      transaction.letGoOf(pin.volumes());
      transaction.settle(pin.imageId());
      transaction.settle(pin.baseImageId());
    }
    return transaction.reply(this, pinId);
  }

  @Override
  public boolean freesSpace() {
    return true;
  }
}
