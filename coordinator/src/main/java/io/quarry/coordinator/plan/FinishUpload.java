package io.quarry.coordinator.plan;

/**
 * A disk changes over to the uploaded content, in one commit, and other callers may use the disk.
 *
 * @param file the file that holds the whole content, flushed and closed
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
  public Reply plan(Transaction transaction) {
    RepositoryState state = transaction.state();
    Open open = state.opens().get(uploadId);
    if (open == null || open.fills() == null || !open.imageId().equals(imageId)) {
      throw PlanErrors.openNotFound(imageId, uploadId);
    }
    Image image = state.visibleImage(imageId);
    if (image == null) {
      throw PlanErrors.imageNotFound(imageId);
    }
    Volume old = state.volumeOf(image);
    Volume filled = Volume.uploaded(open.fills(), image, transaction.layout());
    if (!filled.mayBePublished(file, Long.MAX_VALUE)) {
      throw PlanErrors.stale(uploadId, "file " + file + " is not one of volume " + filled.id());
    }
    transaction.add(new Change.DropOpen(uploadId));
    transaction.add(new Change.PutVolume(filled.ready(file)));
    transaction.add(
        new Change.PutImage(image.on(filled.id()).changeableSince(transaction.commit())));
    transaction.retire(old, image.autoFix());
    transaction.settle(imageId);
    transaction.settle(old.parentImageId());
    return transaction.reply(this, imageId);
  }
}
