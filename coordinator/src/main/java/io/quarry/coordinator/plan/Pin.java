package io.quarry.coordinator.plan;

import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Keeps an image while another repository copies it, or has overlays that read it here. The pin is
 * committed in the source's log before the target's log names the source.
 *
 * @param baseImageId another image to keep, when only the difference to it is copied
 * @param targetKey the repository that needs the image
 * @param targetImageId the image that is being made there
 * @param volumes the volumes that overlays of the target read, top first; empty for copies. None of
 *     them changes or goes while the pin exists, even if the image has a better one by then
 */
public record Pin(
    String id,
    String imageId,
    @Nullable String baseImageId,
    String targetKey,
    String targetImageId,
    Instant since,
    List<String> volumes) {

  public Pin(
      String id,
      String imageId,
      @Nullable String baseImageId,
      String targetKey,
      String targetImageId,
      Instant since,
      @Nullable List<String> volumes) {
    this.id = id;
    this.imageId = imageId;
    this.baseImageId = baseImageId;
    this.targetKey = targetKey;
    this.targetImageId = targetImageId;
    this.since = since;
    this.volumes = volumes == null ? List.of() : List.copyOf(volumes);
  }

  /** For a copy: the image may change its volumes meanwhile. */
  public Pin(
      String id,
      String imageId,
      @Nullable String baseImageId,
      String targetKey,
      String targetImageId,
      Instant since) {
    this(id, imageId, baseImageId, targetKey, targetImageId, since, List.of());
  }

  /** A pin that is not for a copy is for overlays. */
  boolean isForCopy() {
    return volumes.isEmpty();
  }
}
