package io.quarry.coordinator.cluster;

import io.quarry.coordinator.thread.Deadline;
import io.quarry.coordinator.thread.Supervisor;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.CuratorFrameworkFactory;
import org.apache.curator.framework.state.ConnectionState;
import org.apache.curator.framework.state.SessionConnectionStateErrorPolicy;
import org.apache.curator.retry.BoundedExponentialBackoffRetry;
import org.apache.zookeeper.ZooKeeper;

/**
 * The agent's one connection to ZooKeeper. Opens at once and connects by itself, now or later;
 * calls made meanwhile fail within {@link #CALL_DEADLINE}.
 *
 * <p>The session survives outages of any length if the ensemble still knows it afterwards.
 * Otherwise a new session starts, and all users of this connection register again.
 */
public final class ClusterConnection implements AutoCloseable {
  /** The longest that any call of this package takes, whatever ZooKeeper does. */
  public static final Duration CALL_DEADLINE = Duration.ofSeconds(3);

  private static final int BACKGROUND_RETRIES = 8;
  private static final Duration BACKGROUND_PAUSE = Duration.ofMillis(50);
  private static final Duration BACKGROUND_PAUSE_MAX = Duration.ofSeconds(1);

  /** Percent of the session timeout: a client without a server for this long is replaced. */
  private static final int REPLACE_CLIENT_PERCENT = 25;

  private final SessionResumer resumer = new SessionResumer();
  private final Supervisor supervisor;
  private final String servers;
  private final CuratorFramework curator;
  private final Znodes znodes;
  private final ZnodeStore store;
  private final SessionKeeper keeper;
  private final Listeners<Runnable> wakers = new Listeners<>();
  private final AtomicLong epoch = new AtomicLong();
  private final Object changed = new Object();
  private volatile boolean closed;

  private ClusterConnection(String connectString, Duration sessionTimeout, Supervisor supervisor) {
    this.supervisor = supervisor;
    servers = Znodes.servers(connectString);
    znodes = Znodes.of(connectString);
    curator =
        CuratorFrameworkFactory.builder()
            .connectString(servers)
            .sessionTimeoutMs(Math.toIntExact(sessionTimeout.toMillis()))
            .connectionTimeoutMs(Math.toIntExact(CALL_DEADLINE.toMillis()))
            .retryPolicy(
                new BoundedExponentialBackoffRetry(
                    Math.toIntExact(BACKGROUND_PAUSE.toMillis()),
                    Math.toIntExact(BACKGROUND_PAUSE_MAX.toMillis()),
                    BACKGROUND_RETRIES))
            .simulatedSessionExpirationPercent(REPLACE_CLIENT_PERCENT)
            .connectionStateErrorPolicy(new SessionConnectionStateErrorPolicy())
            .zookeeperFactory(resumer)
            // The configured addresses count, not those by which servers know each other.
            .ensembleTracker(false)
            .build();
    store = new ZnodeStore(this);
    keeper = new SessionKeeper(this);
  }

  /**
   * @param connectString {@code host:port,...} with an optional chroot, which is created if missing
   * @param sessionTimeout long enough for pauses; fast failover is the guardian's task
   * @param supervisor of the threads of this connection and of its users
   */
  public static ClusterConnection open(
      String connectString, Duration sessionTimeout, Supervisor supervisor) {
    ClusterConnection connection = new ClusterConnection(connectString, sessionTimeout, supervisor);
    connection.start();
    return connection;
  }

  private void start() {
    curator.getConnectionStateListenable().addListener((client, state) -> stateChanged(state));
    curator.start();
    keeper.start();
  }

  /** Whether a server answers at this moment, as far as the client knows. */
  public boolean connected() {
    return !closed && curator.getZookeeperClient().isConnected();
  }

  /** Waits for a connection; false if there is none in time. */
  public boolean awaitConnected(Duration atMost) throws InterruptedException {
    Deadline deadline = Deadline.after(atMost);
    synchronized (changed) {
      while (!connected()) {
        if (closed || !deadline.awaitOn(changed)) {
          return false;
        }
      }
    }
    return true;
  }

  /** The present or the last session; empty before the first one. */
  public Optional<SessionInfo> session() {
    return keeper.session();
  }

  /** The listener gets each new session, and the present one at once. */
  public Subscription onSession(Consumer<SessionInfo> listener) {
    return keeper.onSession(listener);
  }

  /** The listener gets {@link #connected()} after each change. */
  public Subscription onConnectionChange(Consumer<Boolean> listener) {
    return keeper.onConnectionChange(listener);
  }

  @Override
  public void close() {
    synchronized (changed) {
      closed = true;
      changed.notifyAll();
    }
    keeper.close();
    resumer.endSession();
    curator.close();
  }

  Supervisor supervisor() {
    return supervisor;
  }

  String servers() {
    return servers;
  }

  Znodes znodes() {
    return znodes;
  }

  ZnodeStore store() {
    return store;
  }

  /** For Curator's recipes. */
  CuratorFramework curator() {
    return curator;
  }

  boolean closed() {
    return closed;
  }

  /**
   * The waker runs after each reconnect, on a thread that must not block: data that was read or
   * registered before may have changed.
   */
  Subscription onReconnected(Runnable waker) {
    return wakers.add(waker);
  }

  /** The present handle, connected or not. */
  ZooKeeper handle() throws ClusterUnavailableException {
    try {
      ZooKeeper handle = curator.getZookeeperClient().getZooKeeper();
      if (!closed && handle != null) {
        return handle;
      }
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      throw new ClusterUnavailableException("interrupted", interrupted);
    } catch (Exception failure) {
      throw new ClusterUnavailableException("no ZooKeeper client: " + failure, failure);
    }
    throw new ClusterUnavailableException("the connection to ZooKeeper is closed");
  }

  /** The present connection, valid until it breaks; empty while it is broken. */
  Optional<Attachment> attachment() throws ClusterUnavailableException {
    long now = epoch.get();
    ZooKeeper handle = handle();
    return connected()
        ? Optional.of(new Attachment(handle, handle.getSessionId(), now))
        : Optional.empty();
  }

  private void stateChanged(ConnectionState state) {
    if (state.isConnected()) {
      epoch.incrementAndGet();
    }
    synchronized (changed) {
      changed.notifyAll();
    }
    keeper.wake();
    if (state.isConnected()) {
      wakers.each(Runnable::run);
    }
  }

  /**
   * @param epoch counts connections: data of an earlier connection must be read again
   */
  record Attachment(ZooKeeper handle, long sessionId, long epoch) {}
}
