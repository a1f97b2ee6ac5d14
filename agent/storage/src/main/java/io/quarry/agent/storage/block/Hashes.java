package io.quarry.agent.storage.block;

import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/** SHA-256 as hexadecimal digits, and zeros on the device for that of no record. */
final class Hashes {
  static final int BYTES = 32;

  /** What the first record names as the one before it. */
  static final String NONE = "0".repeat(2 * BYTES);

  private Hashes() {}

  static String of(byte[] bytes, int offset, int length) {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      digest.update(bytes, offset, length);
      return HexFormat.of().formatHex(digest.digest());
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  static void put(ByteBuffer buffer, String hash) {
    buffer.put(HexFormat.of().parseHex(hash));
  }

  static String get(ByteBuffer buffer) {
    byte[] bytes = new byte[BYTES];
    buffer.get(bytes);
    return HexFormat.of().formatHex(bytes);
  }
}
