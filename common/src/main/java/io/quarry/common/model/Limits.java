package io.quarry.common.model;

import java.time.Duration;

/** The limits that callers meet, with their units. */
public final class Limits {
  /** The size of an image is a multiple of this. */
  public static final long SECTOR_BYTES = 512;

  /** 64 TiB: above what the supported filesystems hold in one file; keeps every sum in a long. */
  public static final long IMAGE_BYTES_MAX = 64L << 40;

  /** User data as JSON text, in bytes of UTF-8. */
  public static final int USER_DATA_BYTES_MAX = 64 << 10;

  /** Objects and lists of user data within each other, the outermost one included. */
  public static final int USER_DATA_DEPTH_MAX = 32;

  /** Digits of a number in user data: fewer than every JSON reader of Quarry takes. */
  public static final int USER_DATA_NUMBER_CHARS_MAX = 400;

  /** Objects and lists within each other in any JSON that another process sends. */
  public static final int JSON_DEPTH_MAX = 100;

  /**
   * The estimated memory that a repository's state may take on every agent, in bytes. The same on
   * all hosts, however much memory they have: 100,000 images with 1.5 KiB of user data each.
   */
  public static final long STATE_BYTES_MAX = 256L << 20;

  /** Layers that a new image may be read through, its own included. */
  public static final int CHAIN_LAYERS_MAX = 64;

  /**
   * An image with more layers gets a volume of its own: early enough for the copy to end in time.
   */
  public static final int CHAIN_LAYERS_FLATTEN = 48;

  /** Layers that an image may be opened through; only old repositories have longer chains. */
  public static final int CHAIN_LAYERS_OPEN_MAX = 200;

  /** Entries of one answer that lists things, as JSON text in bytes. One entry always fits. */
  public static final long PAGE_BYTES_MAX = 4L << 20;

  /** The longest time for which a removal can be undone. */
  public static final Duration RETAIN_MAX = Duration.ofDays(3650);

  /** Characters of a name that a caller gives: a repoId, a hostId, a request id, an owner. */
  public static final int NAME_CHARS_MAX = 128;

  private Limits() {}

  /** Whether the number of bytes is allowed as an image's size. */
  public static boolean isImageSize(long size) {
    return size > 0 && size % SECTOR_BYTES == 0 && size <= IMAGE_BYTES_MAX;
  }
}
