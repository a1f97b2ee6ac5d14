package io.quarry.coordinator.plan;

/** The other repository needs it no more: the image may go when nothing else needs it. */
public record Unpin(String pinId) implements Request {
  public Unpin {
    Checked.name("pinId", pinId);
  }

  @Override
  public Reply plan(Transaction draft) {
    Pin pin = draft.state().pins().get(pinId);
    if (pin != null) {
      draft.add(new Change.DropPin(pinId));
      draft.letGoOf(pin.volumes());
      draft.settle(pin.imageId());
      draft.settle(pin.baseImageId());
    }
    return draft.reply(this, pinId);
  }

  @Override
  public boolean freesSpace() {
    return true;
  }
}
