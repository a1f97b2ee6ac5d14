package io.quarry.common.api;

/** The stable error codes, their HTTP status, and whether the same call may succeed later. */
public enum ErrorCode {
  INVALID_ARGUMENT(400, false),
  /** The stored bytes have another digest than the caller sent. */
  DIGEST_MISMATCH(400, false),
  /** The request came from a foreign web page, or names a host that is not the agent's. */
  FOREIGN_REQUEST(403, false),
  NOT_FOUND(404, false),
  REPOSITORY_NOT_CONNECTED(404, false),
  IMAGE_NOT_FOUND(404, false),
  FIX_NOT_FOUND(404, false),
  TASK_NOT_FOUND(404, false),
  HOST_NOT_FOUND(404, false),
  OPEN_NOT_FOUND(404, false),
  METHOD_NOT_ALLOWED(405, false),
  IMAGE_IN_USE(409, false),
  /** The call says that an image's use is over, and a process still writes to the image. */
  STILL_WRITING(409, false),
  IMAGE_BROKEN(409, false),
  IMAGE_KIND_MISMATCH(409, false),
  /** The image is, or would be, read through more layers than the limit. */
  CHAIN_TOO_LONG(409, false),
  FIX_STALE(409, false),
  REPOSITORY_ID_TAKEN(409, false),
  REPOSITORY_IN_USE(409, false),
  REQUEST_ID_REUSED(409, false),
  /** Live hosts that use the repository do not know its new features. */
  HOSTS_TOO_OLD(409, false),
  /** The image's content may have changed since the entity tag was given. */
  IMAGE_CHANGED(412, false),
  PAYLOAD_TOO_LARGE(413, false),
  RANGE_NOT_SATISFIABLE(416, false),
  REPOSITORY_UNUSABLE(422, false),
  REPOSITORY_DAMAGED(422, false),
  /** The storage has the repository's key and is not the one that its SDM writes to. */
  STORAGE_MISMATCH(422, false),
  /** The repository has features that this agent does not know. */
  AGENT_TOO_OLD(422, false),
  /** The agent may not use the file of one volume; the storage is fine. */
  VOLUME_FORBIDDEN(422, false),
  /** No file of the storage can hold an image of that size. */
  IMAGE_TOO_LARGE(422, false),
  /** The uploaded file is not one that may become a disk's content. */
  UPLOAD_REFUSED(422, false),
  INTERNAL(500, false),
  /** Nothing was committed; try again. */
  SDM_UNAVAILABLE(503, true),
  REPOSITORY_UNRESPONSIVE(503, true),
  /** ZooKeeper cannot be reached and the call needs it. */
  CLUSTER_UNAVAILABLE(503, true),
  /** The agent cannot be reached, has too much to do, or stops; nothing was committed. */
  AGENT_UNAVAILABLE(503, true),
  /** The call may have been committed: repeat or cancel it, with its request id, to find out. */
  OUTCOME_UNKNOWN(503, true),
  NO_SPACE(507, false);

  private final int httpStatus;
  private final boolean retryable;

  ErrorCode(int httpStatus, boolean retryable) {
    this.httpStatus = httpStatus;
    this.retryable = retryable;
  }

  public int httpStatus() {
    return httpStatus;
  }

  /** Whether repeating the call, unchanged and with the same request id, may succeed. */
  public boolean retryable() {
    return retryable;
  }
}
