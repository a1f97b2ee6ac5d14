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
 * @param actualBytes bytes allocated to the image's own volume, without the volumes below; −1 when
 *     unknown. Listings tell the last measurement and do not touch the storage
 * @param exclusiveBytes what removing and cleaning the image would free: its own volume, and those
 *     of removed images that nothing else depends on; 0 while a visible image depends on it; −1
 *     when unknown
 * @param parentImageId the image below: this image's volume is an overlay of its volume
 * @param dependantImageIds images whose volumes are overlays of this one's
 * @param retainedUntil until when a removal can surely be undone; null for images that were not
 *     removed
 * @param opens the image's opens, at most {@link #OPENS_MAX} of them
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
   * One use of the image.
   *
   * @param hostId the host of the use
   * @param owner the user, for people to read
   */
  public record Open(
      String openId, String hostId, @Nullable String owner, boolean readOnly, Instant since) {}
}
