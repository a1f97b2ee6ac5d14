package io.quarry.agent.storage.block;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What a slot's host promises: its ballot, and where its frames and checkpoints are.
 *
 * @param ballot the host supports no lower one; a counter, then the slot
 * @param count how often the cell was written
 * @param reach the host has written nothing at this position of the ring and behind it
 * @param segments the positions in the ring from which on there are frames, ascending
 * @param checkpoints those of the host, at most one in each area
 */
record Cell(
    int slot,
    Key host,
    long ballot,
    long count,
    long reach,
    List<Long> segments,
    List<Area> checkpoints) {
  private static final String MAGIC = "QBALLOT1";

  /** As many as fit into the block. */
  static final int SEGMENTS_MAX = 16;

  /**
   * A checkpoint that was read back.
   *
   * @param sequence of the last record that the checkpoint covers
   * @param bytes of the compressed checkpoint
   * @param checksum of these bytes, CRC32C
   * @param hash of the last record
   */
  record Area(long sequence, int area, long bytes, int checksum, String hash) {}

  Cell {
    segments = List.copyOf(segments);
    checkpoints = List.copyOf(checkpoints);
  }

  /** That of a host which has just won the slot. */
  static Cell first(int slot, Key host) {
    return new Cell(slot, host, 0, 0, 0, List.of(), List.of());
  }

  /** The cell with a higher ballot, and with segments that begin later or reach further. */
  Cell promising(long newBallot, List<Long> newSegments, long newReach) {
    return new Cell(slot, host, newBallot, count, newReach, newSegments, checkpoints);
  }

  /** The cell with a checkpoint in one of its areas. */
  Cell with(Area checkpoint) {
    Stream<Area> others = checkpoints.stream().filter(each -> each.area() != checkpoint.area());
    List<Area> all = Stream.concat(others, Stream.of(checkpoint)).toList();
    return new Cell(slot, host, ballot, count, reach, segments, all);
  }

  Cell counted(long newCount) {
    return new Cell(slot, host, ballot, newCount, reach, segments, checkpoints);
  }

  byte[] encode(Key key) {
    return Sealed.seal(
        MAGIC,
        key,
        buffer -> {
          buffer.putInt(slot).put((byte) segments.size()).put((byte) checkpoints.size());
          buffer.putLong(ballot).putLong(count).putLong(reach).put(host.bytes());
          segments.forEach(buffer::putLong);
          checkpoints.forEach(each -> put(buffer, each));
        });
  }

  private static void put(ByteBuffer buffer, Area checkpoint) {
    buffer.putLong(checkpoint.sequence()).putInt(checkpoint.area()).putLong(checkpoint.bytes());
    buffer.putInt(checkpoint.checksum());
    Hashes.put(buffer, checkpoint.hash());
  }

  /** The cell in a block, or null when the block is void. */
  static @Nullable Cell decode(byte[] bytes, int offset, Key key, int slot)
      throws Sealed.BrokenException {
    ByteBuffer buffer = Sealed.open(bytes, offset, MAGIC, key);
    if (buffer == null) {
      return null;
    }
    if (buffer.getInt() != slot) {
      throw new Sealed.BrokenException();
    }
    int segmentCount = buffer.get();
    int checkpointCount = buffer.get();
    long ballot = buffer.getLong();
    long count = buffer.getLong();
    long reach = buffer.getLong();
    byte[] host = new byte[Key.BYTES];
    buffer.get(host);
    List<Long> segments = new ArrayList<>();
    for (int i = 0; i < segmentCount; i++) {
      segments.add(buffer.getLong());
    }
    List<Area> checkpoints = new ArrayList<>();
    for (int i = 0; i < checkpointCount; i++) {
      checkpoints.add(
          new Area(
              buffer.getLong(),
              buffer.getInt(),
              buffer.getLong(),
              buffer.getInt(),
              Hashes.get(buffer)));
    }
    return new Cell(slot, Key.of(host), ballot, count, reach, segments, checkpoints);
  }

  /** The one that was written last. */
  static @Nullable Cell newer(@Nullable Cell one, @Nullable Cell other) {
    if (one == null || other == null) {
      return one == null ? other : one;
    }
    return one.count() >= other.count() ? one : other;
  }
}
