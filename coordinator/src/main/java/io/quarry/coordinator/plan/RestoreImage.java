package io.quarry.coordinator.plan;

/**
 * Makes a hidden image visible again, unless it never was visible, or cleaning has begun. An
 * unfinished image is mended again.
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
  public Reply plan(Transaction transaction) {
    Image image = transaction.state().images().get(imageId);
    if (image == null || !(image.visible() || image.wasVisible())) {
      throw PlanErrors.imageNotFound(imageId);
    }
    if (!image.visible()) {
      transaction.add(new Change.PutImage(image.visibleAgain()));
      transaction.settle(imageId);
    }
    return transaction.reply(this, imageId);
  }
}
