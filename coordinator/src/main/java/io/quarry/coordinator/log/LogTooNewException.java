package io.quarry.coordinator.log;

import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.StorageException;
import io.quarry.coordinator.plan.Feature;
import java.util.List;

/** The log is sound, and has features that this program does not know. */
public final class LogTooNewException extends LogUnreadableException {
  private static final long serialVersionUID = 1L;

  public LogTooNewException(String file, List<Feature> missing) {
    super(
        file,
        "the repository has features that this agent does not know: "
            + String.join(", ", Feature.names(missing)));
  }

  /** The error that every call gets. */
  public StorageException refusal() {
    return new StorageException(
        ErrorCode.AGENT_TOO_OLD, String.valueOf(getMessage()), file(), "upgrade this agent", this);
  }
}
