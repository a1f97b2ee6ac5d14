package io.quarry.agent.data;

import java.util.function.LongSupplier;

/**
 * How copies proceed.
 *
 * @param windowBytes how far they go at most between two checkpoints
 * @param lanes threads that move data at once; with none, whoever copies does it
 * @param nanos a clock that only goes forward, in nanoseconds
 */
public record CopyPace(long windowBytes, int lanes, LongSupplier nanos) {
  /**
   * Measured from 16 MiB to 1 GiB the duration of a copy does not depend on the window, since one
   * window is flushed while the next is being written. So the window is what a crash may cost on a
   * fast disk, around a tenth of a second of work; on a slow one it is reported in parts.
   */
  public static final long WINDOW_BYTES = 128L << 20;

  /** Two cores are busy with two; the others hide the latency of storage that is not cached. */
  private static final int LANES = 4;

  public static final CopyPace USUAL = new CopyPace(WINDOW_BYTES, LANES, System::nanoTime);

  public CopyPace {
    if (windowBytes <= 0 || windowBytes % Zeros.BLOCK_BYTES != 0) {
      throw new IllegalArgumentException(
          "window of " + windowBytes + " bytes: not a multiple of " + Zeros.BLOCK_BYTES);
    }
  }

  /** The same with other windows. */
  public CopyPace withWindow(long bytes) {
    return new CopyPace(bytes, lanes, nanos);
  }
}
