package io.quarry.coordinator.cluster;

import org.jspecify.annotations.Nullable;

/**
 * ZooKeeper did not answer in time. A write may or may not have happened; a caller finds out by
 * calling again, which is always allowed.
 */
public final class ClusterUnavailableException extends Exception {
  public ClusterUnavailableException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }

  public ClusterUnavailableException(String message) {
    this(message, null);
  }
}
