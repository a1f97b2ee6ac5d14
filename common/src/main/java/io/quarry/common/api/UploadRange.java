package io.quarry.common.api;

import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A range of an image that is uploaded.
 *
 * @param size of the whole image
 * @param zeros whether the range is all zeros, and no bytes are sent
 * @param sha256 of the range's bytes in base64, if an agent is to verify them at once
 */
public record UploadRange(
    long offset, long length, long size, boolean zeros, @Nullable String sha256) {
  private static final Pattern CONTENT_RANGE = Pattern.compile("bytes ([0-9]+)-([0-9]+)/([0-9]+)");

  /**
   * @param header a Content-Range header, whose form has been checked
   */
  public static UploadRange parse(String header, boolean zeros, @Nullable String sha256) {
    Matcher parts = CONTENT_RANGE.matcher(header);
    if (!parts.matches()) {
      throw new IllegalArgumentException(header);
    }
    long first = Long.parseLong(parts.group(1));
    long last = Long.parseLong(parts.group(2));
    return new UploadRange(first, last - first + 1, Long.parseLong(parts.group(3)), zeros, sha256);
  }

  public long end() {
    return offset + length;
  }

  /** The range as a Content-Range header. */
  public String header() {
    return "bytes " + offset + "-" + (end() - 1) + "/" + size;
  }
}
