package io.quarry.coordinator.cluster;

import io.quarry.coordinator.cluster.ClusterConnection.Attachment;
import java.io.IOException;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.apache.zookeeper.Watcher;
import org.apache.zookeeper.Watcher.Event.KeeperState;
import org.apache.zookeeper.ZooKeeper;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Announces sessions and connection changes, and ends a session that can never come back. Runs on
 * the thread {@code quarry-session}.
 *
 * <p>An ensemble that lost its data (wiped, or restored from a backup) refuses every client that
 * "has seen" a later transaction, by closing the socket: the client cannot tell this from an outage
 * and would try for ever. So while the connection is down, a fresh client without a past asks
 * whether the ensemble serves at all. If it goes on serving strangers and still not us, the session
 * is given up.
 */
final class SessionKeeper implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(SessionKeeper.class);
  private static final Duration PERIOD = Duration.ofSeconds(1);
  private static final Duration PROBE_PAUSE = Duration.ofMillis(500);
  private static final Duration PROBE_DEADLINE = Duration.ofSeconds(2);

  /** A client waits up to a second at random before it tries a server again. */
  private static final Duration STRANDED_GRACE = Duration.ofSeconds(2);

  private final ClusterConnection connection;
  private final Duration sessionTimeout;
  private final long graceNanos;
  private final Listeners<Consumer<SessionInfo>> sessionListeners = new Listeners<>();
  private final Listeners<Consumer<Boolean>> connectionListeners = new Listeners<>();
  private final Loop loop = new Loop("session", PERIOD, this::step);
  private volatile @Nullable SessionInfo session;

  // Only the loop's thread:
  private boolean announcedConnected;
  private @Nullable Long servingSinceNanos;
  private @Nullable ZooKeeper injectedInto;

  SessionKeeper(ClusterConnection connection, Duration sessionTimeout) {
    this.connection = connection;
    this.sessionTimeout = sessionTimeout;
    this.graceNanos = grace(connection.servers(), sessionTimeout).toNanos();
  }

  /** With several servers the client may be busy with one that does not even refuse. */
  private static Duration grace(String servers, Duration sessionTimeout) {
    int count = servers.split(",", -1).length;
    return count == 1 ? STRANDED_GRACE : STRANDED_GRACE.plus(sessionTimeout.dividedBy(count));
  }

  void start() {
    loop.start();
  }

  void wake() {
    loop.wake();
  }

  Optional<SessionInfo> session() {
    return Optional.ofNullable(session);
  }

  Subscription onSession(Consumer<SessionInfo> listener) {
    // Seen at once and perhaps a second time, but never missed.
    Subscription subscription = sessionListeners.add(listener);
    SessionInfo now = session;
    if (now != null) {
      listener.accept(now);
    }
    return subscription;
  }

  Subscription onConnectionChange(Consumer<Boolean> listener) {
    return connectionListeners.add(listener);
  }

  @Override
  public void close() {
    loop.close();
  }

  private void step() throws ClusterUnavailableException {
    Optional<Attachment> attachment = connection.attachment();
    attachment.ifPresent(this::announceSession);
    boolean connected = attachment.isPresent();
    if (connected != announcedConnected) {
      announcedConnected = connected;
      connectionListeners.each(listener -> listener.accept(connected));
    }
    if (connected) {
      servingSinceNanos = null;
    } else if (session != null && !connection.closed()) {
      endIfStranded();
      loop.wakeWithin(PROBE_PAUSE);
    }
  }

  private void announceSession(Attachment attachment) {
    SessionInfo known = session;
    if (known != null && known.sessionId() == attachment.sessionId()) {
      return;
    }
    PatientZooKeeper handle = attachment.handle();
    SessionInfo fresh =
        new SessionInfo(
            connection.servers(),
            attachment.sessionId(),
            handle.getSessionPasswd(),
            Duration.ofMillis(handle.negotiatedTimeoutMillis()));
    session = fresh;
    LOG.info("New session 0x{}", Long.toHexString(fresh.sessionId()));
    sessionListeners.each(listener -> listener.accept(fresh));
  }

  private void endIfStranded() throws ClusterUnavailableException {
    Long since = servingSinceNanos;
    boolean due = since == null || System.nanoTime() - since >= graceNanos;
    if (!due || connection.connected()) {
      return;
    }
    if (!servesStrangers()) {
      servingSinceNanos = null;
    } else if (since == null) {
      servingSinceNanos = System.nanoTime();
    } else if (!connection.connected()) {
      servingSinceNanos = null;
      endSession();
    }
  }

  private void endSession() throws ClusterUnavailableException {
    PatientZooKeeper handle = connection.handle();
    LOG.warn(
        "ZooKeeper serves others and refuses session 0x{}: it has lost its data. A new session"
            + " starts.",
        Long.toHexString(handle.getSessionId()));
    try {
      if (injectedInto == handle) {
        // The event thread did not act on it: replace the client without its help.
        connection.curator().getZookeeperClient().reset();
      } else {
        injectedInto = handle;
        handle.getTestable().injectSessionExpiration();
      }
    } catch (Exception failure) {
      throw new ClusterUnavailableException("could not start a new session", failure);
    }
  }

  private boolean servesStrangers() {
    CountDownLatch connected = new CountDownLatch(1);
    Watcher watcher =
        event -> {
          if (event.getState() == KeeperState.SyncConnected) {
            connected.countDown();
          }
        };
    try {
      ZooKeeper stranger =
          new ZooKeeper(
              connection.servers(),
              Math.toIntExact(sessionTimeout.toMillis()),
              watcher,
              PatientZooKeeper.settings());
      try {
        return connected.await(PROBE_DEADLINE.toNanos(), TimeUnit.NANOSECONDS);
      } finally {
        stranger.close();
      }
    } catch (IOException unreachable) {
      return false;
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      return false;
    }
  }
}
