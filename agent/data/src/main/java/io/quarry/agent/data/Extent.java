package io.quarry.agent.data;

import io.quarry.agent.data.os.NativeFile;
import java.util.Optional;

/**
 * A stretch of an image, in bytes.
 *
 * @param kind whether the stretch must be read, or is known to be zeros without reading
 * @param place where a file holds the stretch's bytes unchanged; empty when no file does
 */
public record Extent(long offset, long length, Kind kind, Optional<Place> place) {
  /** What is known of a stretch without reading it. */
  public enum Kind {
    DATA,
    ZERO
  }

  /** The beginning of a stretch in a file, from where it can be shared or read. */
  public record Place(NativeFile file, long offset) {
    boolean isFollowedBy(Place next, long length) {
      return file.equals(next.file) && offset + length == next.offset;
    }
  }

  public Extent {
    if (offset < 0 || length <= 0) {
      throw new IllegalArgumentException("extent at " + offset + " of " + length + " bytes");
    }
  }

  static Extent zero(long offset, long length) {
    return new Extent(offset, length, Kind.ZERO, Optional.empty());
  }

  /** Data that only the source itself knows how to read. */
  static Extent data(long offset, long length) {
    return new Extent(offset, length, Kind.DATA, Optional.empty());
  }

  static Extent data(long offset, long length, NativeFile file, long fileOffset) {
    return new Extent(offset, length, Kind.DATA, Optional.of(new Place(file, fileOffset)));
  }

  public long end() {
    return offset + length;
  }

  /** Whether {@code next} begins where this extent ends and has the same kind and place. */
  boolean isContinuedBy(Extent next) {
    return end() == next.offset
        && kind == next.kind
        && place.isPresent() == next.place.isPresent()
        && (place.isEmpty() || place.get().isFollowedBy(next.place.orElseThrow(), length));
  }
}
