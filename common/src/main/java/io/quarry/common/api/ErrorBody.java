package io.quarry.common.api;

/** The JSON form of a {@link StorageException}. */
public record ErrorBody(ErrorCode code, String message, String subject, String remedy) {
  public StorageException toException() {
    return new StorageException(code, message, subject, remedy);
  }
}
