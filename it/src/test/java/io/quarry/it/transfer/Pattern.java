package io.quarry.it.transfer;

import io.quarry.common.api.Sha256;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Random;

/** Content with data and long zeros; the same seed gives the same content. */
final class Pattern {
  private static final int MIB = 1 << 20;

  private Pattern() {}

  /** One of every four MiB is zeros. */
  static byte[] bytes(long seed, int size) {
    byte[] bytes = new byte[size];
    new Random(seed).nextBytes(bytes);
    for (int at = 0; at < size; at += 4 * MIB) {
      Arrays.fill(bytes, at, Math.min(size, at + MIB), (byte) 0);
    }
    return bytes;
  }

  static byte[] filled(int value, int size) {
    byte[] bytes = new byte[size];
    Arrays.fill(bytes, (byte) value);
    return bytes;
  }

  static String sha256(byte[] bytes) {
    return HexFormat.of().formatHex(Sha256.fresh().digest(bytes));
  }
}
