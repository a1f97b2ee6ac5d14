package io.quarry.coordinator.log;

/**
 * A place in the log.
 *
 * @param sequence number of the last record; 0 before the first
 * @param hash of that record; empty before the first
 * @param term of that record
 * @param writer of the latest term
 */
public record Position(long sequence, String hash, long term, String writer) {
  public static final Position START = new Position(0, "", 0, "");
}
