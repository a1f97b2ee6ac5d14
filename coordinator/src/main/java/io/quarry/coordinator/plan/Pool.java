package io.quarry.coordinator.plan;

/** The extents of a repository's device. The device may grow, and never shrinks. */
public record Pool(long extentBytes, long extents) {
  /** How many extents hold so many bytes. */
  public long extentsFor(long bytes) {
    return Math.ceilDiv(bytes, extentBytes);
  }
}
