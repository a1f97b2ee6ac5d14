package io.quarry.coordinator.plan;

import io.quarry.common.model.VolumeFormat;
import org.jspecify.annotations.Nullable;

/** The formats of volumes: one place decides, so that a storage without sparse files can differ. */
final class Layout {
  /** A volume that holds all of its image. */
  static final VolumeFormat WHOLE = VolumeFormat.RAW;

  /** A volume that reads through to another image. */
  static final VolumeFormat OVERLAY = VolumeFormat.QCOW2;

  private Layout() {}

  static VolumeFormat over(@Nullable String parentImageId) {
    return parentImageId == null ? WHOLE : OVERLAY;
  }
}
