package io.quarry.coordinator.log;

import java.io.IOException;

/**
 * The log cannot be replayed as it is. The repository is read-only until somebody has looked:
 * nothing is skipped, nothing is guessed.
 */
public final class LogDamagedException extends IOException {
  private static final long serialVersionUID = 1L;
  private final String file;

  public LogDamagedException(String file, String what) {
    super(file + ": " + what);
    this.file = file;
  }

  /** The damaged or missing file. */
  public String file() {
    return file;
  }
}
