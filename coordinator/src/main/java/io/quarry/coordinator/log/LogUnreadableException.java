package io.quarry.coordinator.log;

import java.io.IOException;

/**
 * The log cannot be replayed here as it is. The repository is read-only on this host until that has
 * changed: nothing is skipped, nothing is guessed.
 */
public abstract sealed class LogUnreadableException extends IOException
    permits LogDamagedException, LogTooNewException {
  private static final long serialVersionUID = 1L;
  private final String file;

  LogUnreadableException(String file, String what) {
    super(file + ": " + what);
    this.file = file;
  }

  /** The file that cannot be read, or is missing. */
  public String file() {
    return file;
  }
}
