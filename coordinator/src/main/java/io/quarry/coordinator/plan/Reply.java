package io.quarry.coordinator.plan;

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
}
