package io.quarry.agent.data.qemu;

import io.quarry.common.model.VolumeFormat;

/**
 * The base of an overlay.
 *
 * @param name as it is written into the overlay: relative names are relative to the overlay's
 *     folder
 */
public record Backing(String name, VolumeFormat format) {
  public Backing {
    if (name.isEmpty()) {
      throw new IllegalArgumentException("empty name of a backing file");
    }
  }
}
