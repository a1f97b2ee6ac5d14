package io.quarry.agent.fix;

/**
 * A fix has to wait until there is room for what it writes.
 *
 * @param needed what the fix still has to write, in bytes
 * @param free what the fix may take of the storage now
 * @param ofFiles whether the storage has room for no more files, however many bytes are free
 */
public record InsufficientSpace(long needed, long free, boolean ofFiles) {
  private static final long MIB = 1L << 20;

  InsufficientSpace(long needed, long free) {
    this(needed, free, false);
  }

  /** A text for operators. The needed and the free size never look the same in it. */
  public String text() {
    if (ofFiles) {
      return "waiting for space: the storage has room for no more files (its inodes are used up)";
    }
    return "waiting for space: needs "
        + Math.ceilDiv(needed, MIB)
        + " MiB, "
        + free / MIB
        + " MiB free";
  }
}
