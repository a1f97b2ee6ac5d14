package io.quarry.coordinator.plan;

import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.StorageException;

/**
 * What a request is answered, the first time and every time it is repeated.
 *
 * @param operation the request's kind: a request id belongs to one operation
 * @param id what was created or changed
 * @param commit the sequence number of the record that holds it
 */
public record Reply(String operation, String id, long commit) {
  public Reply {
    // Hundreds of thousands are remembered, of a few operations.
    operation = operation.intern();
  }

  /** This answer, for a request that comes with the same id. */
  public Reply repeated(String requestId, String asked) {
    if (asked.equals(operation) || asked.equals(CancelRequest.OPERATION)) {
      return this;
    }
    if (CancelRequest.made(this)) {
      throw CancelRequest.refusal(requestId, this);
    }
    throw new StorageException(
        ErrorCode.REQUEST_ID_REUSED,
        "request id " + requestId + " was used for " + operation,
        requestId,
        "use a fresh request id for each call, and the same one only to repeat it");
  }
}
