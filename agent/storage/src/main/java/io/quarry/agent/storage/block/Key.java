package io.quarry.agent.storage.block;

import java.util.HexFormat;

/**
 * Sixteen bytes. The device's key is in every block, so blocks of a former use count as void. A
 * host's key is in all that the host claims.
 *
 * @param hex 32 digits
 */
record Key(String hex) {
  static final int BYTES = 16;

  Key {
    if (hex.length() != 2 * BYTES) {
      throw new IllegalArgumentException("a key has " + 2 * BYTES + " digits: " + hex);
    }
  }

  static Key of(byte[] bytes) {
    return new Key(HexFormat.of().formatHex(bytes));
  }

  byte[] bytes() {
    return HexFormat.of().parseHex(hex);
  }
}
