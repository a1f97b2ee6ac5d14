package io.quarry.coordinator.plan;

import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Keeps an image while another repository copies it, or has overlays that read it here. Committed
 * in the source's log before the target's log names the source.
 *
 * @param baseImageId kept as well, when only the difference to it is copied
 * @param targetKey the repository that needs it
 * @param targetImageId the image that is being made there
 * @param volumes what overlays of the target were handed out, top first: none of them changes or
 *     goes while it is pinned, even if the image has a better one by then; empty for copies
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

  /** For a copy: how the image is made up may change meanwhile. */
  public Pin(
      String id,
      String imageId,
      @Nullable String baseImageId,
      String targetKey,
      String targetImageId,
      Instant since) {
    this(id, imageId, baseImageId, targetKey, targetImageId, since, List.of());
  }

  /** Otherwise it is for overlays. */
  boolean isForCopy() {
    return volumes.isEmpty();
  }
}
