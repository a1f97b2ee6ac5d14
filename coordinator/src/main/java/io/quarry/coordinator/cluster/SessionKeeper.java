package io.quarry.coordinator.cluster;

import io.quarry.coordinator.cluster.ClusterConnection.Attachment;
import java.time.Duration;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Announces sessions and connection changes, on the thread {@code quarry-session}. */
final class SessionKeeper implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(SessionKeeper.class);
  private static final Duration PERIOD = Duration.ofSeconds(1);

  private final ClusterConnection connection;
  private final Listeners<Consumer<SessionInfo>> sessionListeners = new Listeners<>();
  private final Listeners<Consumer<Boolean>> connectionListeners = new Listeners<>();
  private final ClusterLoop loop = new ClusterLoop("session", PERIOD, this::step);
  private volatile @Nullable SessionInfo session;

  /** Only the loop's thread. */
  private boolean announcedConnected;

  SessionKeeper(ClusterConnection connection) {
    this.connection = connection;
  }

  void start() {
    loop.start(connection);
  }

  void wake() {
    loop.wake();
  }

  Optional<SessionInfo> session() {
    return Optional.ofNullable(session);
  }

  Subscription onSession(Consumer<SessionInfo> listener) {
    // Added before the look: the listener may get a session twice, but never misses one.
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
    if (connection.closed()) {
      return;
    }
    Optional<Attachment> attachment = connection.attachment();
    attachment.ifPresent(this::announceSession);
    boolean connected = attachment.isPresent();
    if (connected != announcedConnected) {
      announcedConnected = connected;
      connectionListeners.each(listener -> listener.accept(connected));
    }
  }

  private void announceSession(Attachment attachment) {
    SessionInfo known = session;
    if (known != null && known.sessionId() == attachment.sessionId()) {
      return;
    }
    SessionInfo fresh =
        new SessionInfo(
            connection.servers(),
            attachment.sessionId(),
            attachment.handle().getSessionPasswd(),
            Duration.ofMillis(attachment.handle().getSessionTimeout()));
    session = fresh;
    LOG.info("New session 0x{}", Long.toHexString(fresh.sessionId()));
    sessionListeners.each(listener -> listener.accept(fresh));
  }
}
