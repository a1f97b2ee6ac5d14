package io.quarry.coordinator.cluster;

import java.io.IOException;
import java.time.Duration;
import org.apache.curator.utils.ZookeeperFactory;
import org.apache.zookeeper.Testable;
import org.apache.zookeeper.Watcher;
import org.apache.zookeeper.ZooKeeper;
import org.apache.zookeeper.client.ConnectStringParser;
import org.apache.zookeeper.client.StaticHostProvider;
import org.apache.zookeeper.client.ZKClientConfig;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes Curator's ZooKeeper clients; a client that replaces another one resumes its session.
 *
 * <p>In an outage both Curator and the ZooKeeper client give a session up by their own clocks. A
 * restarted ensemble, however, knows its sessions and gives each the full timeout again. Abandoning
 * such a session leaves stale ephemeral nodes and moves roles for nothing. So only the server
 * decides whether a session is over, and only then a new one starts.
 *
 * <p>The replacement also cures the opposite case. An ensemble may have lost its data (wiped, or
 * restored from a backup). To a client that "has seen" a later transaction it closes the socket,
 * for ever. The replacement has seen no transaction, so the server answers and says whether the
 * session still exists.
 */
final class SessionResumer implements ZookeeperFactory {
  private static final Logger LOG = LoggerFactory.getLogger(SessionResumer.class);
  private static final String LOGIN_CONFIGURATION = "java.security.auth.login.config";

  private @Nullable Client last;
  private volatile boolean ending;

  @Override
  public synchronized ZooKeeper newZooKeeper(
      String connectString, int sessionTimeoutMillis, Watcher watcher, boolean readOnly)
      throws IOException {
    Client previous = last;
    Client client;
    if (previous != null && previous.hasSession() && !previous.endedByServer()) {
      LOG.debug("Trying to resume session 0x{}", Long.toHexString(previous.getSessionId()));
      client = new Client(connectString, sessionTimeoutMillis, watcher, previous, readOnly);
    } else {
      client = new Client(connectString, sessionTimeoutMillis, watcher, readOnly);
    }
    last = client;
    return client;
  }

  /** From now on, closing a client ends its session. */
  void endSession() {
    ending = true;
  }

  /**
   * SASL without a login configuration would only look up the server's name, for seconds at worst.
   */
  private static ZKClientConfig settings() {
    ZKClientConfig settings = new ZKClientConfig();
    if (System.getProperty(LOGIN_CONFIGURATION) == null) {
      settings.setProperty(ZKClientConfig.ENABLE_CLIENT_SASL_KEY, "false");
    }
    return settings;
  }

  @SuppressWarnings("try")
  private final class Client extends ZooKeeper {
    private final boolean resumed;
    private final long madeAtNanos = System.nanoTime();
    private final Duration timeout;
    private volatile boolean givenUpByCurator;

    Client(String servers, int timeoutMillis, Watcher watcher, boolean readOnly)
        throws IOException {
      super(servers, timeoutMillis, watcher, readOnly, settings());
      resumed = false;
      timeout = Duration.ofMillis(timeoutMillis);
    }

    Client(String servers, int timeoutMillis, Watcher watcher, Client previous, boolean readOnly)
        throws IOException {
      super(
          servers,
          timeoutMillis,
          watcher,
          previous.getSessionId(),
          previous.getSessionPasswd(),
          readOnly,
          new StaticHostProvider(new ConnectStringParser(servers).getServerAddresses()),
          settings());
      resumed = true;
      timeout = Duration.ofMillis(timeoutMillis);
    }

    boolean hasSession() {
      return getSessionId() != 0;
    }

    /** A session that the server ended has no timeout; nor has one that never reached a server. */
    boolean endedByServer() {
      boolean gaveUpItself = resumed && System.nanoTime() - madeAtNanos >= timeout.toNanos();
      // By its own clock a client gives up after 4/3 of the timeout, and not before.
      return getSessionTimeout() <= 0 && !givenUpByCurator && !gaveUpItself;
    }

    /** Curator uses this object only to inject an expiration. */
    @Override
    public Testable getTestable() {
      givenUpByCurator = true;
      return super.getTestable();
    }

    /** Curator closes a client that it replaces, and closing makes a server end the session. */
    @Override
    public synchronized void close() throws InterruptedException {
      if (ending) {
        super.close();
      } else if (getState().isAlive()) {
        cnxn.disconnect();
      }
    }
  }
}
