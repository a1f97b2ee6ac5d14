package io.quarry.coordinator.plan;

/**
 * Strong becomes weak. Never refused because others depend on it; its data stays until they don't.
 * An unfinished image that nothing depends on stops being mended: removing it is how an operation
 * is cancelled.
 */
public record RemoveImage(String imageId, boolean autoFix) implements Request {
  @Override
  public Reply plan(Draft draft) {
    Image image = draft.state().strongImage(imageId);
    if (image == null) {
      throw Refusal.imageNotFound(imageId);
    }
    draft.add(new Change.PutImage(image.weak(autoFix)));
    draft.settle(imageId);
    return draft.reply(this, imageId);
  }

  @Override
  public boolean freesSpace() {
    return true;
  }
}
