package io.quarry.common.model;

import java.time.Duration;

/** The limits every caller meets, with their units. */
public final class Limits {
  /** Images are whole sectors. */
  public static final long SECTOR_BYTES = 512;

  /** 64 TiB: above what the supported filesystems hold in one file; keeps every sum in a long. */
  public static final long IMAGE_BYTES_MAX = 64L << 40;

  /** User data as JSON text, in bytes of UTF-8. */
  public static final int USER_DATA_BYTES_MAX = 64 << 10;

  /** How long a removal can be made undoable. */
  public static final Duration RETAIN_MAX = Duration.ofDays(3650);

  /** A caller's names: repoId, hostId, request ids, owners. In characters. */
  public static final int NAME_CHARS_MAX = 128;

  private Limits() {}

  /** Whether an image may have so many bytes. */
  public static boolean isImageSize(long size) {
    return size > 0 && size % SECTOR_BYTES == 0 && size <= IMAGE_BYTES_MAX;
  }
}
