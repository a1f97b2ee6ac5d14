package io.quarry.coordinator.plan;

import io.quarry.common.model.VolumeFormat;
import io.quarry.coordinator.plan.Volume.CopySource;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Somebody uses an image: fixes that would disturb them wait.
 *
 * @param hostId the host on which it is used
 * @param owner who uses it, for people to read
 * @param volumes what it was handed out, top first: none of them changes or goes while it is open,
 *     even if the images have better ones by then
 * @param incarnation the life of the agent that uses it itself and whose end is the end of the use;
 *     null for the use by others, such as VMs, which outlive the agent
 * @param fills the volume that an upload fills, and that is the image's when it is finished; null
 *     for other uses
 * @param received the file that an upload brings; null when it brings the volume's bytes themselves
 * @param baseSource where the chain that it was handed goes on in another repository; null when all
 *     of it is here
 * @param boot of the host, in logs with {@link Feature#BOOT_IDS}, so that a reboot proves the end;
 *     null when nothing is known, and for uses by Quarry itself
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
   * A file that an upload brings, and whose content is to be converted into the volume.
   *
   * @param bytes of the file
   */
  public record Received(VolumeFormat format, long bytes) {}

  public Open {
    volumes = List.copyOf(volumes);
  }

  /** Of an image that is all here. */
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

  /** An upload or a download: an agent does it for a caller, and both can begin again. */
  public boolean byQuarry() {
    return fills != null || incarnation != null;
  }
}
