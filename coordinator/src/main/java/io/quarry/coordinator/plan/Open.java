package io.quarry.coordinator.plan;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import io.quarry.common.model.VolumeFormat;
import io.quarry.coordinator.plan.Volume.CopySource;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** One use of an image. Fixes that would disturb the user wait. */
public record Open(
    String id,
    String imageId,
    User user,
    boolean readOnly,
    Layers layers,
    Upload upload,
    Instant since) {
  /**
   * @param hostId the host of the use
   * @param owner the user, for people to read
   * @param incarnation the life of the agent that is the user itself: the open ends with the agent.
   *     Null for other users, such as VMs, which outlive the agent
   * @param boot of the host, in logs with {@link Feature#BOOT_IDS}: a later boot proves the end of
   *     the use. Null when unknown, and for uses by Quarry itself
   */
  public record User(
      String hostId,
      @Nullable String owner,
      @Nullable String incarnation,
      @Nullable HostBoot boot) {}

  /**
   * @param volumes the volumes that the user got, top first. None of them changes or goes while the
   *     image is open, even if the images have better ones by then
   * @param baseSource where the chain that the user got continues in another repository; null when
   *     all of it is here
   */
  public record Layers(List<String> volumes, @Nullable CopySource baseSource) {
    public Layers {
      volumes = List.copyOf(volumes);
    }
  }

  /**
   * @param fills the volume that an upload fills, and that becomes the image's at the end; null for
   *     other uses
   * @param received the file that an upload brings; null when the upload brings the volume's bytes
   *     themselves
   */
  public record Upload(@Nullable String fills, @Nullable Received received) {
    public static final Upload NONE = new Upload(null, null);
  }

  /**
   * A file that an upload brings, and that an agent converts into the volume.
   *
   * @param bytes of the file
   */
  public record Received(VolumeFormat format, long bytes) {}

  public String hostId() {
    return user.hostId();
  }

  public @Nullable String owner() {
    return user.owner();
  }

  public @Nullable String incarnation() {
    return user.incarnation();
  }

  public @Nullable HostBoot boot() {
    return user.boot();
  }

  public List<String> volumes() {
    return layers.volumes();
  }

  public @Nullable CopySource baseSource() {
    return layers.baseSource();
  }

  public @Nullable String fills() {
    return upload.fills();
  }

  public @Nullable Received received() {
    return upload.received();
  }

  /**
   * Whether it is an upload or a download. An agent runs both for a caller, and both can begin
   * again.
   */
  public boolean byQuarry() {
    return fills() != null || incarnation() != null;
  }

  /** The fields in the log. */
  private record Fields(
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
      @Nullable HostBoot boot) {}

  @JsonCreator(mode = JsonCreator.Mode.DELEGATING)
  private static Open of(Fields fields) {
    return new Open(
        fields.id,
        fields.imageId,
        new User(fields.hostId, fields.owner, fields.incarnation, fields.boot),
        fields.readOnly,
        new Layers(fields.volumes, fields.baseSource),
        new Upload(fields.fills, fields.received),
        fields.since);
  }

  @JsonValue
  private Fields fields() {
    return new Fields(
        id,
        imageId,
        readOnly,
        hostId(),
        owner(),
        incarnation(),
        volumes(),
        fills(),
        received(),
        since,
        baseSource(),
        boot());
  }
}
