package io.quarry.coordinator.cluster;

import static io.quarry.coordinator.cluster.Agents.claimant;
import static io.quarry.coordinator.cluster.Agents.eventually;
import static io.quarry.coordinator.cluster.Agents.fix;
import static io.quarry.coordinator.cluster.Agents.host;
import static io.quarry.coordinator.cluster.Agents.millisSince;
import static org.assertj.core.api.Assertions.assertThat;

import io.quarry.coordinator.thread.Deadline;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** The ensemble comes back, with its data or without. */
final class LostDataTest extends ClusterTest {
  @Test
  void afterARestartEverythingIsAsItWas() throws Exception {
    ClusterConnection connection = connect();
    Everything agent = new Everything(agents, connection, "a");
    SessionInfo before = connection.session().orElseThrow();
    server.stop();
    eventually(() -> !connection.connected());

    long start = System.nanoTime();
    server.start();
    eventually(agent::complete);
    print("all back after a restart", millisSince(start));

    assertThat(connection.session()).contains(before);
    assertThat(agent.claim.valid()).isTrue();
    assertThat(agent.listener.elections()).hasSize(1);
    assertThat(agent.listener.depositions()).isEmpty();
  }

  @Test
  void afterAWipeEverythingRegistersAgain() throws Exception {
    ClusterConnection connection = connect();
    Everything agent = new Everything(agents, connection, "a");
    ClusterConnection watching = connect();
    HostRegistry registry = agents.registry(watching);
    FixQueue queue = agents.queue(watching);
    HeadHint head = agents.head(watching);
    SessionInfo before = connection.session().orElseThrow();
    server.stop();
    eventually(() -> !connection.connected() && !watching.connected());

    long start = System.nanoTime();
    server.startWiped();
    eventually(() -> agent.complete() && watching.connected());
    print("all back after a wipe, session 4 s", millisSince(start));
    eventually(() ->
        registry.incarnationLive("a-1")
            && queue.current()
            && queue.find("f1").map(fix -> queue.claims().containsKey(fix.name())).orElse(false)
            && head.head() == 42);
    print("all back and seen by another host", millisSince(start));

    assertThat(connection.session().orElseThrow()).isNotEqualTo(before);
    assertThat(agent.claim.valid()).isTrue();
    assertThat(agent.listener.depositions()).isEmpty();
    assertThat(queue.entries()).hasSize(1);

    // The new queue works like the old one.
    agent.claim.progress("{\"percent\":99}");
    eventually(() ->
        queue.claims().values().stream()
            .anyMatch(claim -> claim.progress().equals(Optional.of("{\"percent\":99}"))));
    agent.claim.release();
    eventually(() -> queue.claims().isEmpty());
    assertThat(queue.tryClaim(queue.find("f1").orElseThrow(), claimant("b"))).isPresent();
  }

  @Test
  void afterAWipeAStoppedFixDoesNotComeBack() throws Exception {
    ClusterConnection connection = connect();
    Everything agent = new Everything(agents, connection, "a");
    assertThat(agent.queue.remove(agent.queue.find("f1").orElseThrow())).isTrue();
    eventually(() -> !agent.claim.valid());
    server.stop();
    eventually(() -> !connection.connected());
    server.startWiped();

    eventually(() -> connection.connected() && agent.queue.current());
    assertThat(agent.queue.enqueue(fix("f2"))).isEqualTo(Enqueued.QUEUED);
    eventually(() -> agent.queue.find("f2").isPresent());
    assertThat(agent.queue.find("f1")).isEmpty();
  }

  /** An agent with an election, a queue, a claim, a hint and a registration. */
  private static final class Everything {
    final RecordingElectionListener listener = new RecordingElectionListener();
    final HostRegistry registry;
    final FixQueue queue;
    final HeadHint head;
    final Election election;
    final QueueClaim claim;
    private final ClusterConnection connection;

    Everything(Agents agents, ClusterConnection connection, String hostId) throws Exception {
      this.connection = connection;
      registry = agents.registry(connection);
      queue = agents.queue(connection);
      head = agents.head(connection);
      election = agents.election(connection, hostId, listener);
      registry.register(host(hostId, hostId + "-1"));
      queue.enqueue(fix("f1"));
      eventually(() -> queue.find("f1").isPresent());
      claim = queue.tryClaim(queue.find("f1").orElseThrow(), claimant(hostId)).orElseThrow();
      head.publish(42);
      eventually(this::complete);
    }

    /** Whether the ensemble itself, read afresh, has all nodes. */
    boolean complete() {
      try {
        return election.leading() && head.head() == 42 && allThere();
      } catch (ClusterUnavailableException unavailable) {
        return false;
      }
    }

    private boolean allThere() throws ClusterUnavailableException {
      Deadline deadline = Deadline.after(ClusterConnection.CALL_DEADLINE);
      Znodes znodes = connection.znodes();
      String name = claim.fix().name();
      return connection.session().isPresent()
          && has(deadline, znodes.hosts().path())
          && has(deadline, znodes.candidates(Agents.KEY).path())
          && has(deadline, znodes.head(Agents.KEY).path())
          && exists(deadline, znodes.fixes(Agents.KEY).child(name))
          && exists(deadline, znodes.claims(Agents.KEY).child(name));
    }

    private boolean has(Deadline deadline, String directory) throws ClusterUnavailableException {
      return connection
          .store()
          .children(deadline, directory)
          .filter(children -> !children.names().isEmpty())
          .isPresent();
    }

    private boolean exists(Deadline deadline, String path) throws ClusterUnavailableException {
      return connection.store().read(deadline, path).isPresent();
    }
  }
}
