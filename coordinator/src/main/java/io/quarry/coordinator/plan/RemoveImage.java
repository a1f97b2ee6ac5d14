package io.quarry.coordinator.plan;

import io.quarry.common.api.StorageException;
import io.quarry.common.model.Limits;
import java.time.Duration;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Strong becomes weak. Never refused because others depend on it; its data stays until they don't.
 * An unfinished image that nothing depends on stops being mended: removing it is how an operation
 * is cancelled.
 *
 * @param retain how long cleaning waits, so that the removal can be undone
 */
public record RemoveImage(String imageId, boolean autoFix, Duration retain) implements Request {
  public RemoveImage(String imageId, boolean autoFix, @Nullable Duration retain) {
    this.imageId = Checked.name("imageId", imageId);
    this.autoFix = autoFix;
    this.retain = Objects.requireNonNullElse(retain, Duration.ZERO);
    if (this.retain.isNegative() || this.retain.compareTo(Limits.RETAIN_MAX) > 0) {
      throw StorageException.invalid(
          "retain", "retain is " + retain, "give at most " + Limits.RETAIN_MAX.toDays() + " days");
    }
  }

  @Override
  public String answeredWith() {
    return imageId;
  }

  @Override
  public Reply plan(Draft draft) {
    Image image = draft.state().strongImage(imageId);
    if (image == null) {
      throw Refusal.imageNotFound(imageId);
    }
    draft.add(new Change.PutImage(image.weak(autoFix, draft.now().plus(retain))));
    draft.settle(imageId);
    return draft.reply(this, imageId);
  }

  @Override
  public boolean freesSpace() {
    return true;
  }
}
