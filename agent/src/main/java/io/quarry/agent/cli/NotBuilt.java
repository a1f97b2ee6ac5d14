package io.quarry.agent.cli;

import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.StorageException;

/** The answer of operations that the API names and no agent can do yet. */
final class NotBuilt {
  private NotBuilt() {}

  static StorageException operation(String name, String subject, String instead) {
    return new StorageException(
        ErrorCode.NOT_IMPLEMENTED, name + " is not built yet", subject, instead);
  }
}
