package io.quarry.agent.guardian;

import io.quarry.coordinator.cluster.ProofOfDeath;
import io.quarry.coordinator.cluster.SessionInfo;
import io.quarry.coordinator.thread.Deadline;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.Watcher;
import org.apache.zookeeper.Watcher.Event.KeeperState;
import org.apache.zookeeper.ZooDefs.Ids;
import org.apache.zookeeper.ZooKeeper;
import org.apache.zookeeper.client.ConnectStringParser;
import org.apache.zookeeper.client.StaticHostProvider;
import org.apache.zookeeper.client.ZKClientConfig;

/** One connection to ZooKeeper: in the dead agent's session, or in a fresh one. */
final class SessionConnection implements AutoCloseable {
  enum Outcome {
    CONNECTED,
    EXPIRED,
    UNREACHABLE
  }

  /** Short, so that a client tries another server soon; the servers may raise the value. */
  private static final Duration TIMEOUT = Duration.ofSeconds(4);

  private static final Duration CLOSE_WAIT = Duration.ofSeconds(1);

  private final BlockingQueue<KeeperState> states = new LinkedBlockingQueue<>();
  private final ZooKeeper client;

  private SessionConnection(SessionInfo session, boolean attach) throws IOException {
    String servers = session.connectString();
    ZKClientConfig settings = new ZKClientConfig();
    // SASL would look up the server's name in the DNS first, which can take seconds.
    settings.setProperty(ZKClientConfig.ENABLE_CLIENT_SASL_KEY, "false");
    int timeout = Math.toIntExact(TIMEOUT.toMillis());
    Watcher watcher = event -> states.add(event.getState());
    client =
        attach
            ? new ZooKeeper(
                servers,
                timeout,
                watcher,
                session.sessionId(),
                session.password(),
                false,
                new StaticHostProvider(new ConnectStringParser(servers).getServerAddresses()),
                settings)
            : new ZooKeeper(servers, timeout, watcher, settings);
  }

  static SessionConnection attach(SessionInfo session) throws IOException {
    return new SessionConnection(session, true);
  }

  static SessionConnection fresh(SessionInfo session) throws IOException {
    return new SessionConnection(session, false);
  }

  Outcome await(Duration within) throws InterruptedException {
    Deadline deadline = Deadline.after(within);
    while (true) {
      KeeperState state = states.poll(deadline.remainingNanos(), TimeUnit.NANOSECONDS);
      if (state == null) {
        return Outcome.UNREACHABLE;
      }
      switch (state) {
        case SyncConnected -> {
          return Outcome.CONNECTED;
        }
        case Expired, AuthFailed, Closed -> {
          return Outcome.EXPIRED;
        }
        default -> {
          // Disconnected: the client tries again by itself.
        }
      }
    }
  }

  /** Creates the persistent proof, with its parents if a wiped ensemble lacks them. */
  void create(ProofOfDeath proof) throws KeeperException, InterruptedException {
    try {
      create(proof.path(), proof.content());
    } catch (KeeperException.NoNodeException noParent) {
      for (String parent : proof.parents()) {
        create(parent, new byte[0]);
      }
      create(proof.path(), proof.content());
    }
  }

  private void create(String path, byte[] data) throws KeeperException, InterruptedException {
    try {
      client.create(path, data, Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT);
    } catch (KeeperException.NodeExistsException alreadyThere) {
      // An earlier attempt, whose answer was lost, made the proof: its path names one incarnation.
    }
  }

  /**
   * Follows the path of a real proof without effect, so that its classes are loaded and compiled.
   */
  void rehearse(ProofOfDeath proof) throws KeeperException, InterruptedException {
    client.exists(proof.path(), false);
  }

  /**
   * Ends the session: its ephemeral znodes are gone when this returns, if the client was connected.
   */
  @Override
  public void close() {
    try {
      client.close(Math.toIntExact(CLOSE_WAIT.toMillis()));
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
