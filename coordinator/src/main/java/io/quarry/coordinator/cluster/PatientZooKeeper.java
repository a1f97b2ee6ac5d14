package io.quarry.coordinator.cluster;

import java.io.IOException;
import org.apache.zookeeper.Watcher;
import org.apache.zookeeper.ZooKeeper;
import org.apache.zookeeper.client.ZKClientConfig;

/**
 * A client handle that keeps its session through an outage of any length.
 *
 * <p>Curator gives a session up by its own clock, one session timeout after the connection broke,
 * and that cannot be switched off. A restarted ensemble, though, knows its sessions and gives them
 * the full timeout again: staying means that elections, claims and registrations simply go on,
 * where leaving makes everybody's ephemeral nodes dangle and roles move for nothing. So Curator is
 * told a timeout that never passes. Whether a session is over is for the server to say; where the
 * server cannot, {@link SessionKeeper} finds out.
 */
// Closed by Curator.
@SuppressWarnings("try")
final class PatientZooKeeper extends ZooKeeper {
  private static final String LOGIN_CONFIGURATION = "java.security.auth.login.config";

  PatientZooKeeper(
      String connectString, int sessionTimeoutMillis, Watcher watcher, boolean readOnly)
      throws IOException {
    super(connectString, sessionTimeoutMillis, watcher, readOnly, settings());
  }

  @Override
  public int getSessionTimeout() {
    return Integer.MAX_VALUE;
  }

  int negotiatedTimeoutMillis() {
    return super.getSessionTimeout();
  }

  /**
   * SASL without a login configuration would only look up the server's name, for seconds at worst.
   */
  static ZKClientConfig settings() {
    ZKClientConfig settings = new ZKClientConfig();
    if (System.getProperty(LOGIN_CONFIGURATION) == null) {
      settings.setProperty(ZKClientConfig.ENABLE_CLIENT_SASL_KEY, "false");
    }
    return settings;
  }
}
