package io.quarry.coordinator.log;

import java.io.IOException;

/**
 * The log cannot be replayed here in its present form. The repository is read-only on this host
 * until that changes: the reader skips nothing and guesses nothing.
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
