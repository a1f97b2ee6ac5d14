package io.quarry.agent.storage.clvm;

import io.quarry.agent.data.os.DeviceMapper.DeviceNumber;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/**
 * A logical volume that is active on this host.
 *
 * @param uuid of the volume group and the volume, as LVM gives it to the device mapper
 */
public record LogicalVolume(String vg, String name, String uuid, DeviceNumber number, long bytes) {
  private static final int KEY_BYTES = 16;

  /** The name that people use. */
  public String path() {
    return vg + "/" + name;
  }

  /** The kernel's own node: udev's links may lead to another device for a moment. */
  public Path node() {
    return Path.of("/dev/dm-" + number.minor());
  }

  /**
   * Sixteen bytes that no other volume has, as hexadecimal digits. A volume that is made anew or
   * imported as a clone has another UUID, so blocks of the former log are void there.
   */
  String key() {
    try {
      byte[] hash =
          MessageDigest.getInstance("SHA-256").digest(uuid.getBytes(StandardCharsets.US_ASCII));
      return HexFormat.of().formatHex(hash, 0, KEY_BYTES);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("each Java has SHA-256", e);
    }
  }
}
