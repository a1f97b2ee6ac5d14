package io.quarry.coordinator.plan;

import io.quarry.coordinator.plan.Open.Layers;
import io.quarry.coordinator.plan.Open.Received;
import io.quarry.coordinator.plan.Open.Upload;
import io.quarry.coordinator.plan.Open.User;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A caller begins to replace a disk's content. No other caller may use the disk until the upload is
 * finished or given up. The disk keeps its content until then: the new content goes into a volume
 * of its own.
 *
 * @param volumeId the volume to fill; its files are known from here on
 * @param hostId the host that took the call; any host may continue the upload
 * @param received the file that an agent converts into the volume; null for the bytes of a disk
 */
public record BeginUpload(
    String uploadId, String imageId, String volumeId, String hostId, @Nullable Received received)
    implements Request {
  public BeginUpload {
    Checked.name("uploadId", uploadId);
    Checked.name("imageId", imageId);
    Checked.volume("volumeId", volumeId);
    Checked.name("hostId", hostId);
    if (received != null) {
      Checked.present("format", received.format());
      Checked.notNegative("bytes", received.bytes());
    }
  }

  /** The user's name, for people. */
  private static final String OWNER = "upload";

  @Override
  public Reply plan(Transaction transaction) {
    RepositoryState state = transaction.state();
    Image image = OpenImage.usable(state, uploadId, imageId, false);
    boolean taken = state.opens().values().stream().anyMatch(open -> volumeId.equals(open.fills()));
    if (taken || state.volumes().containsKey(volumeId)) {
      throw PlanErrors.exists("volume", volumeId);
    }
    transaction.add(
        new Change.PutOpen(
            new Open(
                uploadId,
                imageId,
                new User(hostId, OWNER, null, null),
                false,
                new Layers(List.of(), null),
                new Upload(volumeId, received),
                transaction.now())));
    transaction.settle(image.id());
    return transaction.reply(this, uploadId);
  }
}
