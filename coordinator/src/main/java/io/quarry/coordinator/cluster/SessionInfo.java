package io.quarry.coordinator.cluster;

import java.time.Duration;
import java.util.Arrays;
import java.util.Objects;

/**
 * The data with which another process can close this session: the guardian does, once it has seen
 * the agent die. The connect string names servers only; paths of this package are absolute.
 */
// Copied on the way in and out, and compared by content.
@SuppressWarnings("ArrayRecordComponent")
public record SessionInfo(
    String connectString, long sessionId, byte[] password, Duration sessionTimeout) {
  public SessionInfo {
    Objects.requireNonNull(connectString);
    Objects.requireNonNull(sessionTimeout);
    password = password.clone();
  }

  @Override
  public byte[] password() {
    return password.clone();
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof SessionInfo that
        && connectString.equals(that.connectString)
        && sessionId == that.sessionId
        && Arrays.equals(password, that.password)
        && sessionTimeout.equals(that.sessionTimeout);
  }

  @Override
  public int hashCode() {
    return Long.hashCode(sessionId);
  }

  /** Without the password: any process that has the password can close the session. */
  @Override
  public String toString() {
    return "SessionInfo[0x%x at %s, %s]".formatted(sessionId, connectString, sessionTimeout);
  }
}
