package io.quarry.agent.storage.block;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.IOException;
import java.util.Arrays;

/**
 * A mark in the first block of the device that volumes get extents of. The mark names the log that
 * gives the extents: two logs would give the same extent twice.
 */
public final class DataLabel {
  private static final String MAGIC = "QDATA001";

  private DataLabel() {}

  /** Whose volumes a device holds. */
  public enum Owner {
    NOBODY,
    THIS_LOG,
    ANOTHER_LOG
  }

  /**
   * @param key of the device with the log
   */
  public static Owner owner(BlockDevice data, String key) throws IOException {
    byte[] block = new byte[Layout.BLOCK];
    data.read(0, block);
    if (!Arrays.equals(MAGIC.getBytes(US_ASCII), Arrays.copyOf(block, MAGIC.length()))) {
      return Owner.NOBODY;
    }
    try {
      return Sealed.open(block, 0, MAGIC, new Key(key)) == null
          ? Owner.ANOTHER_LOG
          : Owner.THIS_LOG;
    } catch (Sealed.BrokenException e) {
      throw new IOException(data.name() + ": the label of the volumes is damaged", e);
    }
  }

  /** Several hosts may write the same label at once. */
  public static void write(BlockDevice data, String key) throws IOException {
    data.write(0, Sealed.seal(MAGIC, new Key(key), buffer -> {}));
  }
}
