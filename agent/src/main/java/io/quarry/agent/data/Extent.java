package io.quarry.agent.data;

/**
 * A stretch of an image, in bytes.
 *
 * @param kind whether it must be read, or is known to be zeros without reading
 */
public record Extent(long offset, long length, Kind kind) {
  /** What is known of a stretch without reading it. */
  public enum Kind {
    DATA,
    ZERO
  }

  public Extent {
    if (offset < 0 || length <= 0) {
      throw new IllegalArgumentException("extent at " + offset + " of " + length + " bytes");
    }
  }

  public long end() {
    return offset + length;
  }
}
