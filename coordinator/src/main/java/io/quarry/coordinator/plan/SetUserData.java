package io.quarry.coordinator.plan;

import com.fasterxml.jackson.databind.node.ObjectNode;

/** Replaces callers' own data of an image as a whole, whatever state the image is in. */
public record SetUserData(String imageId, ObjectNode userData) implements Request {
  public SetUserData {
    Checked.name("imageId", imageId);
    Checked.userData(userData);
  }

  @Override
  public String answeredWith() {
    return imageId;
  }

  @Override
  public Reply plan(Transaction transaction) {
    Image image = transaction.state().visibleImage(imageId);
    if (image == null) {
      throw PlanErrors.imageNotFound(imageId);
    }
    transaction.add(new Change.PutImage(image.with(userData)));
    return transaction.reply(this, imageId);
  }
}
