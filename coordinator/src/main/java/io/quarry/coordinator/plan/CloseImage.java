package io.quarry.coordinator.plan;

import org.jspecify.annotations.Nullable;

/**
 * The use of an image ends. An unfinished upload is given up.
 *
 * @param size of the disk's file, when a VM has made it larger than the log says; otherwise null.
 *     Always null in logs without {@link Feature#WITNESSES}, whose SDMs may not know the field
 */
public record CloseImage(String imageId, String openId, @Nullable Long size) implements Request {
  public CloseImage {
    Checked.name("imageId", imageId);
    Checked.internal("openId", openId);
  }

  public CloseImage(String imageId, String openId) {
    this(imageId, openId, null);
  }

  @Override
  public String answeredWith() {
    return openId;
  }

  @Override
  public Reply plan(Transaction transaction) {
    Open open = transaction.state().opens().get(openId);
    if (open == null || !open.imageId().equals(imageId)) {
      throw PlanErrors.openNotFound(imageId, openId);
    }
    if (size != null && !open.readOnly() && open.fills() == null) {
      transaction.grow(imageId, size);
    }
    transaction.close(open);
    return transaction.reply(this, openId);
  }

  @Override
  public boolean freesSpace() {
    return true;
  }
}
