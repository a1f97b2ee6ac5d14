package io.quarry.coordinator.cluster;

import static io.quarry.coordinator.cluster.Agents.eventually;
import static io.quarry.coordinator.cluster.Agents.host;
import static io.quarry.coordinator.cluster.Agents.millisSince;
import static io.quarry.coordinator.cluster.Agents.pass;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quarry.coordinator.thread.Deadline;
import io.quarry.coordinator.thread.Supervisor;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

final class ClusterConnectionTest extends ClusterTest {
  @Test
  void announcesEachNewSession() throws Exception {
    ClusterConnection connection = connect();
    List<SessionInfo> sessions = new CopyOnWriteArrayList<>();
    connection.onSession(sessions::add);
    eventually(() -> !sessions.isEmpty());
    SessionInfo first = sessions.getLast();
    assertThat(first.sessionTimeout()).isEqualTo(Agents.SESSION);

    server.closeSession(first);

    eventually(() -> sessions.getLast().sessionId() != first.sessionId());
    assertThat(connection.session()).contains(sessions.getLast());
    assertThat(first.toString()).doesNotContain("password");
  }

  @Test
  void keepsItsSessionThroughAnOutageLongerThanTheTimeout() throws Exception {
    ClusterConnection connection = connect();
    eventually(() -> connection.session().isPresent());
    SessionInfo before = connection.session().orElseThrow();

    server.stop();
    eventually(() -> !connection.connected());
    pass(Agents.SESSION.multipliedBy(2));
    server.start();

    eventually(connection::connected);
    pass(Duration.ofSeconds(1));
    assertThat(connection.session()).contains(before);
  }

  @Test
  void connectsOnceTheServerIsThere() throws Exception {
    server.stop();
    ClusterConnection connection = agents.add(openWithTimeout(Agents.SESSION));
    assertThat(connection.connected()).isFalse();
    assertThat(connection.session()).isEmpty();

    server.start();

    eventually(() -> connection.connected() && connection.session().isPresent());
  }

  @Test
  void callsFailInTimeWhileTheServerIsDown() throws Exception {
    ClusterConnection connection = connect();
    HostRegistry registry = agents.registry(connection);
    FixQueue queue = agents.queue(connection);
    server.stop();

    long start = System.nanoTime();
    assertThatThrownBy(() -> registry.provenDead("someone"))
        .isInstanceOf(ClusterUnavailableException.class);
    assertThatThrownBy(() -> queue.enqueue(Agents.fix("f1")))
        .isInstanceOf(ClusterUnavailableException.class);
    print("two calls without a server", millisSince(start));

    assertThat(Duration.ofMillis(millisSince(start)))
        .isLessThan(ClusterConnection.CALL_DEADLINE.multipliedBy(2).plusSeconds(1));
  }

  @Test
  void aHiccupIsNotAnError() throws Exception {
    HostRegistry registry = agents.registry(connect());
    server.stop();
    Thread starter = Thread.ofPlatform().start(server::start);

    assertThat(registry.provenDead("someone")).isFalse();
    starter.join();
  }

  @Test
  void createsItsChroot() throws Exception {
    ClusterConnection connection = agents.connect(server.connectString() + "/site/quarry");
    HostRegistry registry = agents.registry(connection);

    registry.register(host("a", "a-1"));

    eventually(() -> registry.incarnationLive("a-1"));
    Deadline deadline = Deadline.after(ClusterConnection.CALL_DEADLINE);
    assertThat(connection.store().children(deadline, "/site/quarry/hosts").orElseThrow().names())
        .containsExactly("a@a-1");
    assertThat(registry.proofOfDeath("a", "a-1", "test").path()).isEqualTo("/site/quarry/dead/a-1");
  }

  @Test
  void leavesNoThreads() throws Exception {
    Set<Thread> before = Thread.getAllStackTraces().keySet();
    try (ClusterConnection connection =
            ClusterConnection.open(server.connectString(), Agents.SESSION, new Supervisor());
        Agents own = new Agents()) {
      connection.awaitConnected(Agents.SOON);
      own.registry(connection).register(host("a", "a-1"));
      own.queue(connection);
      own.head(connection).publish(1);
      own.election(connection, "a", new RecordingElectionListener());
    }
    eventually(() -> leftOver(before).isEmpty());
  }

  @Test
  void closesPromptlyWhileTheServerIsDown() throws Exception {
    Agents own = new Agents();
    ClusterConnection connection = own.connect(server.connectString());
    own.registry(connection).register(host("a", "a-1"));
    own.queue(connection);
    own.head(connection).publish(1);
    own.election(connection, "a", new RecordingElectionListener());
    server.stop();

    long start = System.nanoTime();
    own.close();
    print("close without a server", millisSince(start));

    assertThat(millisSince(start)).isLessThan(10_000);
  }

  private ClusterConnection openWithTimeout(Duration timeout) {
    return ClusterConnection.open(server.connectString(), timeout, new Supervisor());
  }

  private static Set<String> leftOver(Set<Thread> before) {
    return Thread.getAllStackTraces().keySet().stream()
        .filter(thread -> !before.contains(thread))
        .map(Thread::getName)
        .filter(name -> name.matches("quarry-.*|.*Curator.*|.*ConnectionState.*|.*\\(127.0.0.1.*"))
        .collect(Collectors.toSet());
  }
}
