package io.quarry.coordinator.cluster;

import static io.quarry.coordinator.cluster.Agents.eventually;
import static io.quarry.coordinator.cluster.Agents.host;
import static io.quarry.coordinator.cluster.Agents.millisSince;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quarry.coordinator.thread.Deadline;
import java.time.Clock;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

final class HostRegistryTest extends ClusterTest {
  @Test
  void hostsSeeTheLiveHosts() throws Exception {
    HostRegistry a = agents.registry(connect());
    HostRegistry b = agents.registry(connect());

    a.register(host("a", "a-1"));
    b.register(host("b", "b-1"));

    eventually(() -> a.live().size() == 2 && b.live().size() == 2);
    assertThat(b.find("a").map(HostRegistryTest::timeless)).contains(host("a", "a-1"));
    assertThat(b.incarnationLive("a-1")).isTrue();
    assertThat(b.absentFor("a-1")).isZero();
    assertThat(b.find("unknown")).isEmpty();
    assertThat(b.incarnationLive("a-0")).isFalse();
  }

  @Test
  void updatesReachOtherHosts() throws Exception {
    HostRegistry a = agents.registry(connect());
    HostRegistry b = agents.registry(connect());
    a.register(host("a", "a-1"));

    for (int running = 1; running <= 50; running++) {
      a.update(host("a", "a-1").withLoad(new HostLoad(running, 2, 0)));
    }
    eventually(() -> b.find("a").map(host -> host.load().runningFixes()).orElse(0) == 50);

    a.update(host("a", "a-1").withRepositories(Map.of()));
    eventually(() -> b.find("a").filter(host -> host.repositories().isEmpty()).isPresent());
  }

  @Test
  void registersAgainInANewSession() throws Exception {
    ClusterConnection connection = connect();
    HostRegistry a = agents.registry(connection);
    HostRegistry b = agents.registry(connect());
    a.register(host("a", "a-1"));
    eventually(() -> b.incarnationLive("a-1") && connection.session().isPresent());

    long start = server.closeSession(connection.session().orElseThrow());
    eventually(() -> !b.incarnationLive("a-1"));
    print("session closed, record gone at another host", millisSince(start));

    eventually(() -> b.incarnationLive("a-1"));
    print("registered again after a forced expiry", millisSince(start));
  }

  /** Case 12.6: a host whose node was deleted stayed "absent", and its opens could be ended. */
  @Test
  void registersAgainWhenItsNodeIsDeleted() throws Exception {
    ClusterConnection connection = connect();
    HostRegistry a = agents.registry(connection);
    ClusterConnection other = connect();
    HostRegistry b = agents.registry(other);
    a.register(host("a", "a-1"));
    eventually(() -> b.incarnationLive("a-1"));
    String node = other.znodes().hosts().child(Znodes.hostName("a", "a-1"));
    Deadline deadline = Deadline.after(ClusterConnection.CALL_DEADLINE);
    Znode before = other.store().read(deadline, node).orElseThrow();

    assertThat(other.store().commit(deadline, Write.delete(node, before.version())).done())
        .isTrue();

    eventually(() -> found(other, node).filter(now -> !now.sameStateAs(before)).isPresent());
    assertThat(found(other, node).orElseThrow().owner()).isEqualTo(before.owner());
    eventually(() -> b.incarnationLive("a-1"));
  }

  @Test
  void hostThatLeftIsRemembered() throws Exception {
    HostRegistry a = agents.registry(connect());
    HostRegistry b = agents.registry(connect());
    a.register(host("a", "a-1"));
    eventually(() -> b.incarnationLive("a-1"));

    a.close();

    eventually(() -> b.find("a").isEmpty());
    assertThat(b.lastSeen("a").map(HostRegistryTest::timeless)).contains(host("a", "a-1"));
    assertThat(b.lastSeen("unknown")).isEmpty();
  }

  /** Case 12.25: a host two hours ahead led, and emptied the trash at once. */
  @Test
  void clockThatIsWrongIsKnownToAll() throws Exception {
    Clock wrong = Clock.offset(Agents.CLOCK, Duration.ofHours(2));
    HostRegistry a = agents.add(new HostRegistry(connect(), wrong));
    a.start();
    assertThat(a.clockPending()).as("a host that does not register").isFalse();
    a.register(host("a", "a-1"));
    eventually(() -> !a.clockPending());
    assertThat(a.clockAhead()).as("a lone clock counts as right").isZero();
    assertThat(a.clockAlone().orElseThrow().aheadMillis())
        .isBetween(Duration.ofMinutes(119).toMillis(), Duration.ofMinutes(121).toMillis());

    HostRegistry b = agents.registry(connect());
    b.register(host("b", "b-1"));

    eventually(() -> a.clockAhead().compareTo(Duration.ofMinutes(119)) > 0);
    eventually(() -> b.clockAhead("a-1").compareTo(Duration.ofMinutes(119)) > 0);
    assertThat(a.clockAlone()).isEmpty();
    assertThat(b.clockAhead()).isLessThan(Duration.ofMinutes(1));
    assertThat(b.clockAhead("unknown")).isZero();
  }

  @Test
  void aPreviousLifeIsNotTakenForThisOne() throws Exception {
    ClusterConnection previousConnection = connect();
    HostRegistry previous = agents.registry(previousConnection);
    previous.register(host("a", "a-1"));
    HostRegistry now = agents.registry(connect());
    HostRegistry other = agents.registry(connect());

    assertThatThrownBy(() -> now.register(host("a", "a-2")))
        .isInstanceOfSatisfying(
            HostRejectedException.class,
            rejected -> assertThat(rejected.incarnation()).isEqualTo("a-1"))
        .hasMessageContaining("Host a is registered already");

    now.confirmDead("a", "a-1", "administrator");
    now.register(host("a", "a-2"));

    eventually(() -> other.incarnationLive("a-2") && !other.incarnationLive("a-1"));
    assertThat(other.find("a").map(HostRegistryTest::timeless)).contains(host("a", "a-2"));
    assertThat(other.live()).hasSize(1);
    assertThat(other.provenDead("a-1")).isTrue();
    assertThat(other.provenDead("a-2")).isFalse();
  }

  @Test
  void registersOnceThePreviousLifeIsGone() throws Exception {
    ClusterConnection previousConnection = connect();
    agents.registry(previousConnection).register(host("a", "a-1"));
    SessionInfo previous = previousConnection.session().orElseThrow();
    HostRegistry now = agents.registry(connect());
    assertThatThrownBy(() -> now.register(host("a", "a-2")))
        .isInstanceOf(HostRejectedException.class);

    previousConnection.close();
    eventually(() -> now.find("a").isEmpty());

    now.register(host("a", "a-2"));
    assertThat(previous.sessionId()).isNotZero();
  }

  @Test
  void ofTwoHostsThatStartTogetherOneIsRejected() throws Exception {
    HostRegistry first = agents.registry(connect());
    HostRegistry second = agents.registry(connect());

    CompletableFuture<Boolean> a = CompletableFuture.supplyAsync(() -> accepted(first, "a-1"));
    CompletableFuture<Boolean> b = CompletableFuture.supplyAsync(() -> accepted(second, "a-2"));

    assertThat(a.get(20, TimeUnit.SECONDS)).isNotEqualTo(b.get(20, TimeUnit.SECONDS));
    eventually(() -> first.live().size() == 1);
  }

  @Test
  void hostDeclaredDeadIsToldAndStaysOut() throws Exception {
    ClusterConnection connection = connect();
    HostRegistry a = agents.registry(connection);
    CompletableFuture<HostRejectedException> told = new CompletableFuture<>();
    a.onChange(
        new HostListener() {
          @Override
          public void hostsChanged() {}

          @Override
          public void rejected(HostRejectedException why) {
            told.complete(why);
          }
        });
    a.register(host("a", "a-1"));
    HostRegistry b = agents.registry(connect());

    b.confirmDead("a", "a-1", "administrator");
    server.closeSession(connection.session().orElseThrow());

    assertThat(told.get(20, TimeUnit.SECONDS)).hasMessageContaining("declared dead");
    eventually(() -> b.live().isEmpty());
  }

  @Test
  void theGuardiansProofCounts() throws Exception {
    HostRegistry registry = agents.registry(connect());
    ClusterConnection guardian = connect();
    ProofOfDeath proof = registry.proofOfDeath("a", "a-1", "guardian");
    Deadline deadline = Deadline.after(ClusterConnection.CALL_DEADLINE);
    guardian.store().ensure(deadline, proof.parents().getLast());
    guardian.store().commit(deadline, Write.create(proof.path(), proof.content()));

    assertThat(registry.provenDead("a-1")).isTrue();

    // Once seen, a proof of death needs no server.
    eventually(() -> !registry.incarnationLive("a-1"));
    registry.confirmDead("a", "a-1", "again, which is fine");
  }

  @Test
  void oldProofsOfDeathAreDropped() throws Exception {
    HostRegistry registry = agents.registry(connect());
    int surplus = 20;
    for (int i = 0; i < HostRegistry.DEATH_PROOFS_MAX + surplus; i++) {
      registry.confirmDead("a", "a-" + i, "test");
    }
    eventually(() -> {
      try {
        return !registry.provenDead("a-0") || !registry.provenDead("a-" + (surplus - 1));
      } catch (ClusterUnavailableException unavailable) {
        return false;
      }
    });
    assertThat(registry.provenDead("a-" + surplus)).isTrue();
    assertThat(registry.provenDead("a-" + (HostRegistry.DEATH_PROOFS_MAX + surplus - 1))).isTrue();
  }

  @Test
  void registersLaterIfTheServerIsDownNow() throws Exception {
    ClusterConnection connection = connect();
    HostRegistry a = agents.registry(connection);
    server.stop();
    assertThatThrownBy(() -> a.register(host("a", "a-1")))
        .isInstanceOf(ClusterUnavailableException.class);

    server.start();

    eventually(() -> a.incarnationLive("a-1"));
  }

  @Test
  void absenceGrowsOnceAHostHasLeft() throws Exception {
    ClusterConnection leaving = connect();
    HostRegistry a = agents.registry(leaving);
    HostRegistry b = agents.registry(connect());
    a.register(host("a", "a-1"));
    eventually(() -> b.incarnationLive("a-1"));

    a.close();

    eventually(() -> b.absentFor("a-1").compareTo(Duration.ofMillis(50)) > 0);
  }

  private static HostRecord timeless(HostRecord host) {
    return host.withClock(null);
  }

  private static Optional<Znode> found(ClusterConnection connection, String path) {
    try {
      return connection.store().read(Deadline.after(ClusterConnection.CALL_DEADLINE), path);
    } catch (ClusterUnavailableException unavailable) {
      return Optional.empty();
    }
  }

  private static boolean accepted(HostRegistry registry, String incarnation) {
    try {
      registry.register(host("a", incarnation));
      return true;
    } catch (HostRejectedException rejected) {
      return false;
    } catch (ClusterUnavailableException unavailable) {
      throw new IllegalStateException(unavailable);
    }
  }
}
