package io.quarry.agent.cli;

/**
 * How much of its own work a command has done.
 *
 * @param bytes that were moved
 * @param total how many there are to move; {@link #UNKNOWN} where only the end tells
 */
record Done(long bytes, long total, int percent) {
  static final long UNKNOWN = -1;

  Done(long bytes, long total) {
    this(bytes, total, percent(bytes, total));
  }

  /**
   * The progress in a source that may consist largely of zeros.
   *
   * @param at the position in the source
   */
  static Done within(long bytes, long at, long size) {
    return new Done(bytes, UNKNOWN, percent(at, size));
  }

  private static int percent(long part, long whole) {
    return whole == 0 ? 100 : (int) (part * 100.0 / whole);
  }
}
