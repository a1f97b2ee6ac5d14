package io.quarry.coordinator.plan;

import com.fasterxml.jackson.databind.JsonNode;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.StorageException;
import org.jspecify.annotations.Nullable;

/**
 * Estimates the memory of a state in bytes, as far as callers' data decides it. The estimate
 * follows from the log alone, so all hosts have the same one.
 */
final class StateSize {
  /** An image with its volume, their places in the maps, and a fix. */
  private static final long IMAGE_BYTES = 1024;

  /** An open, a pin, a mapping, an epoch, or a file's extents, with their places in the maps. */
  private static final long USE_BYTES = 512;

  /** A name among others, and its place in a map. */
  private static final long NAME_BYTES = 128;

  /** A value of user data, and its place in an object or a list. */
  private static final long VALUE_BYTES = 64;

  private StateSize() {}

  /** How much larger the state gets when the new image replaces the old one. */
  @SuppressWarnings("ReferenceEquality") // identical data needs no second measurement
  static long growth(@Nullable Image before, @Nullable Image after) {
    if (before != null && after != null && before.userData() == after.userData()) {
      return 0;
    }
    return of(after) - of(before);
  }

  static long growth(@Nullable Open before, @Nullable Open after) {
    return of(after) - of(before);
  }

  static long growth(@Nullable Pin before, @Nullable Pin after) {
    return of(after) - of(before);
  }

  static long growth(@Nullable Epoch before, @Nullable Epoch after) {
    return of(after) - of(before);
  }

  /** Files with extents, and mappings. */
  static long of(int allocations, int mappings) {
    return USE_BYTES * allocations + USE_BYTES * mappings;
  }

  private static long of(@Nullable Image image) {
    return image == null ? 0 : IMAGE_BYTES + of(image.userData());
  }

  private static long of(@Nullable Open open) {
    return open == null ? 0 : USE_BYTES + NAME_BYTES * open.volumes().size();
  }

  private static long of(@Nullable Pin pin) {
    return pin == null ? 0 : USE_BYTES + NAME_BYTES * pin.volumes().size();
  }

  private static long of(@Nullable Epoch epoch) {
    if (epoch == null) {
      return 0;
    }
    return USE_BYTES + (epoch.checkpoint() == null ? 0 : epoch.checkpoint().length());
  }

  private static long of(JsonNode value) {
    long bytes = VALUE_BYTES + (value.isContainerNode() ? 0 : value.asText().length());
    for (var field : value.properties()) {
      bytes += field.getKey().length() + of(field.getValue());
    }
    if (value.isArray()) {
      for (JsonNode element : value) {
        bytes += of(element);
      }
    }
    return bytes;
  }

  /** Refuses a request that makes the state larger than before and larger than the limit. */
  static void requireRoom(RepositoryState before, RepositoryState after, long max) {
    if (after.bytes() > max && after.bytes() > before.bytes()) {
      throw new StorageException(
          ErrorCode.NO_SPACE,
          "the repository's metadata would take "
              + after.bytes()
              + " bytes of memory on each host, and "
              + max
              + " are the limit",
          "userData",
          "remove images and run the clean fixes, close images, or set smaller user data; nothing"
              + " was changed");
    }
  }
}
