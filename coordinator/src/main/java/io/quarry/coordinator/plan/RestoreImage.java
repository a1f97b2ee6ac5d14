package io.quarry.coordinator.plan;

/**
 * Weak becomes strong again, unless it was never strong, or cleaning has begun. What was not
 * finished is mended again.
 */
public record RestoreImage(String imageId) implements Request {
  public RestoreImage {
    Checked.name("imageId", imageId);
  }

  @Override
  public String answeredWith() {
    return imageId;
  }

  @Override
  public Reply plan(Transaction draft) {
    Image image = draft.state().images().get(imageId);
    if (image == null || !(image.strong() || image.wasStrong())) {
      throw PlanErrors.imageNotFound(imageId);
    }
    if (!image.strong()) {
      draft.add(new Change.PutImage(image.strongAgain()));
      draft.settle(imageId);
    }
    return draft.reply(this, imageId);
  }
}
