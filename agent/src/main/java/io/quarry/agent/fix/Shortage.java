package io.quarry.agent.fix;

/**
 * A fix has to wait until there is room for what it writes.
 *
 * @param needed what it still has to write, in bytes
 * @param free what it may take of the storage now
 */
public record Shortage(long needed, long free) {
  private static final long MIB = 1L << 20;

  /** For people; so that what is needed never looks like what there is. */
  public String text() {
    return "waiting for space: needs "
        + Math.ceilDiv(needed, MIB)
        + " MiB, "
        + free / MIB
        + " MiB free";
  }
}
