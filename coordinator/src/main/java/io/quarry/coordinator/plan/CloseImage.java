package io.quarry.coordinator.plan;

/** The use of an image ends; an upload that is not finished is given up. */
public record CloseImage(String imageId, String openId) implements Request {
  public CloseImage {
    Checked.name("imageId", imageId);
    Checked.internal("openId", openId);
  }

  @Override
  public String answeredWith() {
    return openId;
  }

  @Override
  public Reply plan(Draft draft) {
    Open open = draft.state().opens().get(openId);
    if (open == null || !open.imageId().equals(imageId)) {
      throw Refusal.openNotFound(imageId, openId);
    }
    draft.close(open);
    return draft.reply(this, openId);
  }

  @Override
  public boolean freesSpace() {
    return true;
  }
}
