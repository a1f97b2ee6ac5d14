package io.quarry.agent.data.nbd;

/**
 * The server's answer about a stretch of the export, in one context.
 *
 * @param flags in {@code base:allocation} {@link #HOLE} and {@link #ZERO}, in {@code
 *     qemu:allocation-depth} the depth
 */
public record BlockStatus(long offset, long length, int flags) {
  /** The context that tells holes and zeros. */
  public static final String ALLOCATION = "base:allocation";

  /** The context that tells which image of a chain has the data: 1 is the top, 0 is none. */
  public static final String DEPTH = "qemu:allocation-depth";

  public static final int HOLE = 1;
  public static final int ZERO = 2;

  public long end() {
    return offset + length;
  }

  /** Whether the stretch reads as zeros, in the context {@link #ALLOCATION}. */
  public boolean isZero() {
    return (flags & ZERO) != 0;
  }
}
