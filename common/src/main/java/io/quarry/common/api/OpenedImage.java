package io.quarry.common.api;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.quarry.common.model.VolumeFormat;
import java.util.List;

/**
 * How to reach an opened image on the host that took the call.
 *
 * @param openId pass to {@code closeImage}
 * @param path of the top volume
 * @param backingChain from the volume below the top down to the last
 * @param blockdev ready for QEMU's {@code -blockdev} or {@code blockdev-add}
 * @param libvirtDisk a {@code <disk>} element
 */
public record OpenedImage(
    String openId,
    String imageId,
    String hostId,
    boolean readOnly,
    String path,
    VolumeFormat format,
    long size,
    List<ChainLink> backingChain,
    ObjectNode blockdev,
    String libvirtDisk,
    long commit) {
  public OpenedImage {
    backingChain = List.copyOf(backingChain);
  }

  /** One volume of a chain. */
  public record ChainLink(String imageId, String path, VolumeFormat format) {}
}
