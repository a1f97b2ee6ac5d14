package io.quarry.coordinator.plan;

import io.quarry.common.model.VolumeFormat;
import io.quarry.coordinator.plan.Volume.CopySource;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One use of an image. Fixes that would disturb the user wait.
 *
 * @param hostId the host of the use
 * @param owner the user, for people to read
 * @param volumes the volumes that the user got, top first. None of them changes or goes while the
 *     image is open, even if the images have better ones by then
 * @param incarnation the life of the agent that is the user itself: the open ends with the agent.
 *     Null for other users, such as VMs, which outlive the agent
 * @param fills the volume that an upload fills, and that becomes the image's at the end; null for
 *     other uses
 * @param received the file that an upload brings; null when the upload brings the volume's bytes
 *     themselves
 * @param baseSource where the chain that the user got continues in another repository; null when
 *     all of it is here
 * @param boot of the host, in logs with {@link Feature#BOOT_IDS}: a later boot proves the end of
 *     the use. Null when unknown, and for uses by Quarry itself
 */
public record Open(
    String id,
    String imageId,
    boolean readOnly,
    String hostId,
    @Nullable String owner,
    @Nullable String incarnation,
    List<String> volumes,
    @Nullable String fills,
    @Nullable Received received,
    Instant since,
    @Nullable CopySource baseSource,
    @Nullable HostBoot boot) {
  /**
   * A file that an upload brings, and that an agent converts into the volume.
   *
   * @param bytes of the file
   */
  public record Received(VolumeFormat format, long bytes) {}

  public Open {
    volumes = List.copyOf(volumes);
  }

  /** An open of an image that is all here. */
  public Open(
      String id,
      String imageId,
      boolean readOnly,
      String hostId,
      @Nullable String owner,
      @Nullable String incarnation,
      List<String> volumes,
      @Nullable String fills,
      Instant since) {
    this(
        id, imageId, readOnly, hostId, owner, incarnation, volumes, fills, null, since, null, null);
  }

  /**
   * Whether it is an upload or a download. An agent runs both for a caller, and both can begin
   * again.
   */
  public boolean byQuarry() {
    return fills != null || incarnation != null;
  }
}
