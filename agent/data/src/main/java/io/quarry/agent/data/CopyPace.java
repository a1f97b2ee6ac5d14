package io.quarry.agent.data;

import java.util.function.LongSupplier;

/**
 * How copies proceed.
 *
 * @param windowBytes how far a copy goes at most between two checkpoints
 * @param lanes threads that move data at once; without lanes the copying thread moves the data
 *     itself
 * @param nanos a clock that only goes forward, in nanoseconds
 */
public record CopyPace(long windowBytes, int lanes, LongSupplier nanos) {
  /**
   * The duration of a copy is the same for windows of 16 MiB to 1 GiB: one window is flushed while
   * the next is written. So the window is the work that a crash may lose: about a tenth of a second
   * on a fast disk. On a slow disk a window is reported in parts.
   */
  public static final long WINDOW_BYTES = 128L << 20;

  /**
   * Two lanes keep two cores busy; the other lanes hide the latency of storage that is not cached.
   */
  private static final int LANES = 4;

  public static final CopyPace USUAL = new CopyPace(WINDOW_BYTES, LANES, System::nanoTime);

  public CopyPace {
    if (windowBytes <= 0 || windowBytes % Zeros.BLOCK_BYTES != 0) {
      throw new IllegalArgumentException(
          "window of " + windowBytes + " bytes: not a multiple of " + Zeros.BLOCK_BYTES);
    }
  }

  /** The same pace with windows of another size. */
  public CopyPace withWindow(long bytes) {
    return new CopyPace(bytes, lanes, nanos);
  }
}
