package io.quarry.agent.storage.block;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.function.Consumer;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * The form of all blocks: a magic, the device's key, what the block says, and a checksum. All of it
 * is in the first sector, which a device writes whole or not at all.
 */
final class Sealed {
  private static final int SECTOR = 512;
  private static final int MAGIC_BYTES = 8;
  private static final int HEADER = MAGIC_BYTES + Key.BYTES;
  private static final int CHECKSUM_AT = SECTOR - Integer.BYTES;

  /** The bytes for what a block says. */
  static final int CONTENT_BYTES = CHECKSUM_AT - HEADER;

  private Sealed() {}

  /** The block has magic and key, but not the checksum. */
  static final class BrokenException extends Exception {
    private static final long serialVersionUID = 1L;

    BrokenException() {
      super("the checksum is wrong", null, false, false);
    }
  }

  /** A whole block. */
  static byte[] seal(String magic, Key key, Consumer<ByteBuffer> content) {
    byte[] block = new byte[Layout.BLOCK];
    seal(block, magic, key, content);
    return block;
  }

  /** Fills the first sector of the array. */
  static void seal(byte[] block, String magic, Key key, Consumer<ByteBuffer> content) {
    ByteBuffer buffer = ByteBuffer.wrap(block, 0, SECTOR).order(ByteOrder.LITTLE_ENDIAN);
    buffer.put(magic.getBytes(US_ASCII)).put(key.bytes());
    content.accept(buffer);
    buffer.putInt(CHECKSUM_AT, checksum(block, 0));
  }

  /** What the block at an offset says, or null when the block is void. */
  static @Nullable ByteBuffer open(byte[] bytes, int offset, String magic, Key key)
      throws BrokenException {
    byte[] expected = Arrays.copyOf(magic.getBytes(US_ASCII), HEADER);
    System.arraycopy(key.bytes(), 0, expected, MAGIC_BYTES, Key.BYTES);
    if (!Arrays.equals(expected, 0, HEADER, bytes, offset, offset + HEADER)) {
      return null;
    }
    ByteBuffer buffer = ByteBuffer.wrap(bytes, offset, SECTOR).order(ByteOrder.LITTLE_ENDIAN);
    if (buffer.getInt(offset + CHECKSUM_AT) != checksum(bytes, offset)) {
      throw new BrokenException();
    }
    return buffer.position(offset + HEADER);
  }

  private static int checksum(byte[] bytes, int offset) {
    CRC32C checksum = new CRC32C();
    checksum.update(bytes, offset, CHECKSUM_AT);
    return (int) checksum.getValue();
  }
}
