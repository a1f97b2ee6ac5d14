package io.quarry.coordinator.cluster;

import static io.quarry.coordinator.cluster.Agents.candidate;
import static io.quarry.coordinator.cluster.Agents.eventually;
import static io.quarry.coordinator.cluster.Agents.millisBetween;
import static io.quarry.coordinator.cluster.Agents.millisSince;
import static io.quarry.coordinator.cluster.Agents.pass;
import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.Optional;
import org.junit.jupiter.api.Test;

final class ElectionTest extends ClusterTest {
  private final RecordingElectionListener a = new RecordingElectionListener();
  private final RecordingElectionListener b = new RecordingElectionListener();

  @Test
  void allHostsKnowTheLeader() throws Exception {
    Election first = agents.election(connect(), "a", a);
    eventually(first::leading);
    Election second = agents.election(connect(), "b", b);
    Election spectator =
        agents.add(
            new Election(connect(), Agents.KEY, candidate("c"), new RecordingElectionListener()));
    spectator.follow();

    eventually(() ->
        second.leader().equals(Optional.of(candidate("a")))
            && spectator.leader().equals(Optional.of(candidate("a"))));
    assertThat(a.elections()).hasSize(1);
    assertThat(b.elections()).isEmpty();
    assertThat(second.leading()).isFalse();
  }

  @Test
  void aClosedSessionMovesTheRoleInMilliseconds() throws Exception {
    ClusterConnection leading = connect();
    Election first = agents.election(leading, "a", a);
    eventually(first::leading);
    Election second = agents.election(connect(), "b", b);
    eventually(() -> second.leader().isPresent() && leading.session().isPresent());

    long start = server.closeSession(leading.session().orElseThrow());
    eventually(() -> !b.elections().isEmpty());
    print("failover after the session was closed", millisBetween(start, b.electedAtNanos()));

    assertThat(b.elections().getFirst()).isGreaterThan(a.elections().getFirst());
    eventually(() -> a.depositions().contains("b leads now"));
    assertThat(first.leading()).isFalse();
    eventually(() -> first.leader().equals(Optional.of(candidate("b"))));
  }

  @Test
  void anOutageDeposesNoLeader() throws Exception {
    Election first = agents.election(connect(), "a", a);
    eventually(() -> !a.elections().isEmpty());
    Election second = agents.election(connect(), "b", b);
    eventually(() -> second.leader().isPresent());

    server.stop();
    pass(Agents.SESSION.plusSeconds(2));
    assertThat(first.leading()).isTrue();
    assertThat(second.leader()).contains(candidate("a"));
    server.start();
    eventually(() -> first.leader().isPresent());
    pass(Agents.SESSION.plusSeconds(1));

    assertThat(first.leading()).isTrue();
    assertThat(a.elections()).hasSize(1);
    assertThat(a.depositions()).isEmpty();
    assertThat(b.elections()).isEmpty();
  }

  @Test
  void hostThatStandsDownCanStandAgain() throws Exception {
    Election first = agents.election(connect(), "a", a);
    eventually(first::leading);
    Election second = agents.election(connect(), "b", b);
    eventually(() -> second.leader().isPresent());

    first.standDown("the storage does not answer");
    eventually(second::leading);
    eventually(() -> a.depositions().contains("the storage does not answer"));
    assertThat(first.leading()).isFalse();

    first.stand();
    second.standDown("maintenance");
    eventually(() -> a.elections().size() == 2);
    assertThat(a.elections().getLast()).isGreaterThan(b.elections().getLast());
  }

  @Test
  void closingHandsOver() throws Exception {
    Election first = agents.election(connect(), "a", a);
    eventually(first::leading);
    Election second = agents.election(connect(), "b", b);
    eventually(() -> second.leader().isPresent());

    long start = System.nanoTime();
    first.close();
    eventually(second::leading);
    print("hand-over by closing", millisSince(start));

    assertThat(a.depositions()).containsExactly("the election was closed");
  }

  @Test
  void aLoneLeaderKeepsTheRoleThroughALostSession() throws Exception {
    ClusterConnection connection = connect();
    Election first = agents.election(connection, "a", a);
    eventually(first::leading);
    SessionInfo before = connection.session().orElseThrow();

    server.closeSession(before);
    eventually(() ->
        connection.session().orElseThrow().sessionId() != before.sessionId()
            && first.leader().isPresent());
    pass(Duration.ofSeconds(1));

    assertThat(a.depositions()).isEmpty();
    assertThat(first.leading()).isTrue();
  }
}
