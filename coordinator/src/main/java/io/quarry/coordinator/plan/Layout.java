package io.quarry.coordinator.plan;

import io.quarry.common.model.VolumeFormat;
import io.quarry.coordinator.plan.Volume.Shape;
import org.jspecify.annotations.Nullable;

/**
 * The formats of a repository's volumes. The genesis fixes the layout for good.
 *
 * @param whole of a volume that holds all of its image
 * @param overlay of a volume that reads through to another image
 */
public record Layout(VolumeFormat whole, VolumeFormat overlay) {
  /** For storages with sparse files. */
  public static final Layout SPARSE_FILES = new Layout(VolumeFormat.RAW, VolumeFormat.QCOW2);

  /** For storages whose volumes have no holes. */
  public static final Layout THIN = new Layout(VolumeFormat.QCOW2, VolumeFormat.QCOW2);

  public Shape over(long size, @Nullable String parentImageId) {
    return new Shape(parentImageId == null ? whole : overlay, size, parentImageId);
  }
}
