package io.quarry.common.api;

import com.fasterxml.jackson.core.JsonProcessingException;

/** How much room an answer that lists things has left. Used by one thread. */
public final class PageRoom {
  private long left;
  private boolean empty = true;

  /**
   * @param bytes of all entries as JSON text
   */
  public PageRoom(long bytes) {
    this.left = bytes;
  }

  /**
   * Whether the entry fits on the page. The first one always does, so that each page makes
   * progress.
   */
  public boolean take(Object entry) {
    try {
      left -= Json.bytes(entry) + 1;
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("an answer cannot be written as JSON", e);
    }
    boolean fits = left >= 0 || empty;
    empty = false;
    return fits;
  }
}
