package io.quarry.coordinator.plan;

import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.StorageException;

/** The use of an image ends. */
public record CloseImage(String imageId, String openId) implements Request {
  @Override
  public Reply plan(Draft draft) {
    Open open = draft.state().opens().get(openId);
    if (open == null || !open.imageId().equals(imageId)) {
      throw new StorageException(
          ErrorCode.OPEN_NOT_FOUND,
          "image " + imageId + " has no open " + openId,
          openId,
          "it was closed already, or belongs to another image");
    }
    draft.close(open);
    return draft.reply(this, openId);
  }

  @Override
  public boolean freesSpace() {
    return true;
  }
}
