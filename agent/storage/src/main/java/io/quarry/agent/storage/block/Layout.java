package io.quarry.agent.storage.block;

/**
 * The places of a log on a device.
 *
 * @param cells where the cells begin
 * @param notes where the head notes begin
 * @param rings where the rings begin
 * @param ringBytes the length of a slot's ring, and of each of the slot's areas for checkpoints
 * @param frameBytesMax the length of the longest frame, header and padding included
 */
record Layout(long cells, long notes, long rings, long ringBytes, int frameBytesMax) {
  static final int BLOCK = 4096;

  /** The hosts that can lead. */
  static final int SLOTS = 64;

  /**
   * A slot's areas for checkpoints: two to keep, one to write, and one whose write got no answer.
   */
  static final int AREAS = 4;

  private static final long KIB = 1L << 10;
  private static final long MIB = 1L << 20;
  private static final long SPLITTERS = 64 * KIB;
  private static final long RINGS = 64 * MIB;
  private static final long RING_BYTES_MIN = 4 * MIB;
  private static final long RING_BYTES_MAX = 64 * MIB;
  private static final int FRAME_BYTES_MAX = (int) (2 * MIB);
  private static final int PAIR = 2 * BLOCK;
  private static final long GENESIS_RING_BYTES = 32 * KIB;

  /** The log of the genesis record: as long as that record is not known, no other place is. */
  static final Layout GENESIS =
      new Layout(
          40 * MIB, 41 * MIB, 42 * MIB, GENESIS_RING_BYTES, frameBytesMax(GENESIS_RING_BYTES));

  /** The smallest device. */
  static final long DEVICE_BYTES_MIN = RINGS + SLOTS * (1 + AREAS) * RING_BYTES_MIN;

  /**
   * @param bytes of the device, at least {@link #DEVICE_BYTES_MIN}
   */
  static Layout ofDevice(long bytes) {
    long most = (bytes - RINGS) / (SLOTS * (1 + AREAS));
    return ofRing(Math.min(Long.highestOneBit(most), RING_BYTES_MAX));
  }

  static Layout ofRing(long ringBytes) {
    return new Layout(MIB, 3 * MIB, RINGS, ringBytes, frameBytesMax(ringBytes));
  }

  private static int frameBytesMax(long ringBytes) {
    return (int) Math.min(FRAME_BYTES_MAX, ringBytes / 4);
  }

  /** The first of the two blocks of a slot's splitter. */
  long splitter(int slot) {
    return SPLITTERS + (long) slot * PAIR;
  }

  /** The first of the two blocks of a slot's cell. */
  long cell(int slot) {
    return cells + (long) slot * PAIR;
  }

  long note(int slot) {
    return notes + (long) slot * PAIR;
  }

  /** The block behind the note. */
  long canary(int slot) {
    return note(slot) + BLOCK;
  }

  /** The place in a slot's ring where the byte with that position is. */
  long ring(int slot, long position) {
    return ring(slot) + position % ringBytes;
  }

  private long ring(int slot) {
    return rings + slot * (1L + AREAS) * ringBytes;
  }

  long area(int slot, int area) {
    return ring(slot) + (1L + area) * ringBytes;
  }

  /** Where the ring begins anew after a position. */
  long nextRound(long position) {
    return (position / ringBytes + 1) * ringBytes;
  }

  static long padded(long bytes) {
    return (bytes + BLOCK - 1) / BLOCK * BLOCK;
  }
}
