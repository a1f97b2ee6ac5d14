package io.quarry.common.api;

/**
 * A range of an image's bytes, as HTTP writes it. The range may go beyond the image's end.
 *
 * @param first offset of the first byte; with {@code last} negative
 * @param last offset of the last byte; negative for all that follow
 * @param suffix how many bytes of the image's end instead; 0 for none
 */
public record ByteRange(long first, long last, long suffix) {
  private static final String UNIT = "bytes=";

  /** Behind the end of every image. */
  private static final ByteRange NONE = new ByteRange(Long.MAX_VALUE, -1, 0);

  public static ByteRange from(long offset) {
    return new ByteRange(offset, -1, 0);
  }

  public static ByteRange of(long offset, long length) {
    return new ByteRange(offset, offset + length - 1, 0);
  }

  /**
   * @param header a Range header of one range, whose form has been checked
   */
  public static ByteRange parse(String header) {
    String range = header.substring(UNIT.length());
    int dash = range.indexOf('-');
    String first = range.substring(0, dash);
    String last = range.substring(dash + 1);
    if (first.isEmpty()) {
      long suffix = Long.parseLong(last);
      // A suffix of 0 bytes is an empty range; in the record it would mean the whole image.
      return suffix == 0 ? NONE : new ByteRange(0, -1, suffix);
    }
    return new ByteRange(Long.parseLong(first), last.isEmpty() ? -1 : Long.parseLong(last), 0);
  }

  /** The first byte in an image of that size. */
  public long offsetIn(long size) {
    return suffix > 0 ? Math.max(0, size - suffix) : first;
  }

  /** The length of the range in an image of that size; not positive for an empty range. */
  public long lengthIn(long size) {
    long end = suffix > 0 || last < 0 ? size : Math.min(size, last + 1);
    return end - offsetIn(size);
  }

  @Override
  public String toString() {
    if (suffix > 0 || equals(NONE)) {
      return UNIT + "-" + suffix;
    }
    return UNIT + first + "-" + (last < 0 ? "" : last);
  }
}
