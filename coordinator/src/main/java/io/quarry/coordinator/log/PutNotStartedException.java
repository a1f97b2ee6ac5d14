package io.quarry.coordinator.log;

import java.io.IOException;

/** The put failed before the name was touched: it is certain that nothing was committed. */
public final class PutNotStartedException extends IOException {
  private static final long serialVersionUID = 1L;
  private final boolean noSpace;

  public PutNotStartedException(IOException cause) {
    super(cause.getMessage(), cause);
    String message = String.valueOf(cause.getMessage());
    this.noSpace = message.contains("No space left") || message.contains("quota exceeded");
  }

  public boolean noSpace() {
    return noSpace;
  }
}
