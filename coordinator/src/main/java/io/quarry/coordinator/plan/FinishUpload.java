package io.quarry.coordinator.plan;

/**
 * A disk changes over to the content that was uploaded, in one commit, and is free for others.
 *
 * @param file that holds the whole content, flushed and let go of
 */
public record FinishUpload(String uploadId, String imageId, String file) implements Request {
  public FinishUpload {
    Checked.name("uploadId", uploadId);
    Checked.name("imageId", imageId);
    Checked.file("file", file);
  }

  @Override
  public String answeredWith() {
    return imageId;
  }

  @Override
  public Reply plan(Transaction draft) {
    RepositoryState state = draft.state();
    Open open = state.opens().get(uploadId);
    if (open == null || open.fills() == null || !open.imageId().equals(imageId)) {
      throw PlanErrors.openNotFound(imageId, uploadId);
    }
    Image image = state.strongImage(imageId);
    if (image == null) {
      throw PlanErrors.imageNotFound(imageId);
    }
    Volume old = state.volumeOf(image);
    Volume filled = Volume.uploaded(open.fills(), image);
    if (!filled.mayBePublished(file, Long.MAX_VALUE)) {
      throw PlanErrors.stale(uploadId, "file " + file + " is not one of volume " + filled.id());
    }
    draft.add(new Change.DropOpen(uploadId));
    draft.add(new Change.PutVolume(filled.ready(file)));
    draft.add(new Change.PutImage(image.on(filled.id()).changeableSince(draft.commit())));
    draft.retire(old, image.autoFix());
    draft.settle(imageId);
    draft.settle(old.parentImageId());
    return draft.reply(this, imageId);
  }
}
