package io.quarry.agent.storage.block;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * A record in a slot's ring: a header, then the record's bytes.
 *
 * @param ballot of the leader who wrote the frame
 * @param position in the ring, counted without end, so that a frame of an earlier round is known as
 *     such
 * @param length of the record in bytes
 * @param hash of the record
 * @param previous the hash of the record before
 */
record Frame(
    int slot, long ballot, long sequence, long position, int length, String hash, String previous) {
  private static final String MAGIC = "QFRAME01";

  /** The record begins here, right behind the header's sector. */
  static final int HEADER = 512;

  /** The length of a frame with so many bytes in its record. */
  static long bytes(long recordBytes) {
    return Layout.padded(HEADER + recordBytes);
  }

  long end() {
    return position + bytes(length);
  }

  byte[] encode(Key key, byte[] record) {
    byte[] bytes = new byte[Math.toIntExact(bytes(length))];
    Sealed.seal(
        bytes,
        MAGIC,
        key,
        buffer -> {
          buffer.putInt(slot).putInt(length).putLong(ballot).putLong(sequence).putLong(position);
          Hashes.put(buffer, hash);
          Hashes.put(buffer, previous);
        });
    System.arraycopy(record, 0, bytes, HEADER, length);
    return bytes;
  }

  /** The whole frame at a position of a ring, or null when there is none. */
  static @Nullable Frame at(BlockDevice device, Layout layout, Key key, int slot, long position)
      throws IOException {
    byte[] first = new byte[Layout.BLOCK];
    device.read(layout.ring(slot, position), first);
    Frame frame = header(first, key);
    if (frame == null
        || frame.slot != slot
        || frame.position != position
        || !frame.fits(layout)
        || frame.read(device, layout, first) == null) {
      return null;
    }
    return frame;
  }

  private boolean fits(Layout layout) {
    return length >= 0
        && bytes(length) <= layout.frameBytesMax()
        && end() <= layout.nextRound(position);
  }

  private static @Nullable Frame header(byte[] block, Key key) {
    ByteBuffer buffer;
    try {
      buffer = Sealed.open(block, 0, MAGIC, key);
    } catch (Sealed.BrokenException e) {
      return null;
    }
    if (buffer == null) {
      return null;
    }
    int slot = buffer.getInt();
    int length = buffer.getInt();
    long ballot = buffer.getLong();
    long sequence = buffer.getLong();
    long position = buffer.getLong();
    String hash = Hashes.get(buffer);
    return new Frame(slot, ballot, sequence, position, length, hash, Hashes.get(buffer));
  }

  /** The record, or null when the place holds something else now. */
  byte @Nullable [] record(BlockDevice device, Layout layout) throws IOException {
    byte[] first = new byte[Layout.BLOCK];
    device.read(layout.ring(slot, position), first);
    return read(device, layout, first);
  }

  private byte @Nullable [] read(BlockDevice device, Layout layout, byte[] first)
      throws IOException {
    byte[] record = Arrays.copyOfRange(first, HEADER, HEADER + length);
    int there = Math.min(length, Layout.BLOCK - HEADER);
    if (there < length) {
      byte[] rest = new byte[Math.toIntExact(bytes(length)) - Layout.BLOCK];
      device.read(layout.ring(slot, position) + Layout.BLOCK, rest);
      System.arraycopy(rest, 0, record, there, length - there);
    }
    return Hashes.of(record, 0, length).equals(hash) ? record : null;
  }
}
