package io.quarry.coordinator.log;

/** A file of the log has changed since it was written, or is missing. */
public final class LogDamagedException extends LogUnreadableException {
  private static final long serialVersionUID = 1L;

  public LogDamagedException(String file, String what) {
    super(file, what);
  }
}
