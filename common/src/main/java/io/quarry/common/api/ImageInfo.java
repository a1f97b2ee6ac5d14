package io.quarry.common.api;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.quarry.common.model.ImageKind;
import io.quarry.common.model.ImageState;
import io.quarry.common.model.VolumeFormat;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * @param size virtual size in bytes
 * @param actualBytes bytes allocated on the storage; −1 in listings, which do not touch the storage
 * @param parentImageId the image its volume is an overlay of
 * @param dependantImageIds images whose volumes are overlays of this one's
 */
public record ImageInfo(
    String imageId,
    ImageKind kind,
    ImageState state,
    @Nullable String reason,
    long size,
    long actualBytes,
    VolumeFormat format,
    @Nullable String parentImageId,
    List<String> dependantImageIds,
    ObjectNode userData,
    Instant createdAt,
    long commit) {
  public ImageInfo {
    dependantImageIds = List.copyOf(dependantImageIds);
  }
}
