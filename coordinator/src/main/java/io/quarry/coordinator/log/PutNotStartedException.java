package io.quarry.coordinator.log;

import java.io.IOException;

/** The put failed before the store touched the name: nothing was committed. */
public final class PutNotStartedException extends IOException {
  private static final long serialVersionUID = 1L;
  private final boolean noSpace;

  /**
   * @param noSpace whether the storage is full, so that removals help
   */
  public PutNotStartedException(IOException cause, boolean noSpace) {
    super(cause.getMessage(), cause);
    this.noSpace = noSpace;
  }

  public boolean noSpace() {
    return noSpace;
  }
}
