package io.quarry.coordinator.cluster;

import org.jspecify.annotations.Nullable;

/**
 * ZooKeeper could not be asked in time. A write that ended so may or may not have happened; calling
 * again is always allowed and finds out.
 */
public final class ClusterUnavailableException extends Exception {
  public ClusterUnavailableException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }

  public ClusterUnavailableException(String message) {
    this(message, null);
  }
}
