package io.quarry.common.api;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.quarry.common.model.ImageKind;
import io.quarry.common.model.ImageState;
import io.quarry.common.model.VolumeFormat;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * @param visible false for removed images, and for those made for internal needs
 * @param size virtual size in bytes
 * @param actualBytes bytes allocated to its own volume on the storage, without what that is an
 *     overlay of; −1 when unknown, as in listings soon after its creation: they do not touch the
 *     storage and tell what was measured last
 * @param exclusiveBytes what removing it and cleaning would free: its own volume and those of
 *     removed images that nothing else depends on; 0 while a visible image depends on it; −1 when
 *     unknown
 * @param parentImageId the image its volume is an overlay of
 * @param dependantImageIds images whose volumes are overlays of this one's
 * @param retainedUntil until when a removal can surely be undone; null for what was not removed
 * @param opens who has it open, at most {@link #OPENS_MAX} of them
 */
public record ImageInfo(
    String imageId,
    ImageKind kind,
    boolean visible,
    ImageState state,
    @Nullable String reason,
    long size,
    long actualBytes,
    long exclusiveBytes,
    VolumeFormat format,
    @Nullable String parentImageId,
    List<String> dependantImageIds,
    ObjectNode userData,
    Instant createdAt,
    @Nullable Instant retainedUntil,
    List<Open> opens,
    long commit) {
  public static final int OPENS_MAX = 100;

  public ImageInfo {
    dependantImageIds = List.copyOf(dependantImageIds);
    opens = List.copyOf(opens);
  }

  /**
   * Somebody uses the image.
   *
   * @param hostId where it is open
   * @param owner who has it open, for people to read
   */
  public record Open(
      String openId, String hostId, @Nullable String owner, boolean readOnly, Instant since) {}
}
