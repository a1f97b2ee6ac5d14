package io.quarry.common.api;

/** The one exception of the API: a stable code, its subject, and a remedy. */
public final class StorageException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final ErrorCode code;
  private final String subject;
  private final String remedy;

  public StorageException(ErrorCode code, String message, String subject, String remedy) {
    super(message);
    this.code = code;
    this.subject = subject;
    this.remedy = remedy;
  }

  public StorageException(
      ErrorCode code, String message, String subject, String remedy, Throwable cause) {
    super(message, cause);
    this.code = code;
    this.subject = subject;
    this.remedy = remedy;
  }

  /** A bad argument: {@code subject} names it. */
  public static StorageException invalid(String subject, String message, String remedy) {
    return new StorageException(ErrorCode.INVALID_ARGUMENT, message, subject, remedy);
  }

  public ErrorCode code() {
    return code;
  }

  /** The subject of the error: an image id, a repoId, the name of an argument. */
  public String subject() {
    return subject;
  }

  /** What the caller can do about it. */
  public String remedy() {
    return remedy;
  }

  /** The body that goes over the wire. */
  public ErrorBody body() {
    return new ErrorBody(code, String.valueOf(getMessage()), subject, remedy);
  }
}
