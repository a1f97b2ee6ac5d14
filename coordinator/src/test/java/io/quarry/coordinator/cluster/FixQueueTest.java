package io.quarry.coordinator.cluster;

import static io.quarry.coordinator.cluster.Agents.claimant;
import static io.quarry.coordinator.cluster.Agents.eventually;
import static io.quarry.coordinator.cluster.Agents.fix;
import static io.quarry.coordinator.cluster.Agents.host;
import static io.quarry.coordinator.cluster.Agents.millisBetween;
import static io.quarry.coordinator.cluster.Agents.millisSince;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quarry.coordinator.thread.Deadline;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

final class FixQueueTest extends ClusterTest {
  @Test
  void aFixIsQueuedOnce() throws Exception {
    FixQueue first = agents.queue(connect());
    FixQueue second = agents.queue(connect());

    assertThat(first.enqueue(fix("f1"))).isEqualTo(Enqueued.QUEUED);
    assertThat(first.enqueue(fix("f1"))).isEqualTo(Enqueued.ALREADY_QUEUED);
    assertThat(second.enqueue(fix("f1"))).isEqualTo(Enqueued.ALREADY_QUEUED);
    assertThat(second.enqueue(fix("f2"))).isEqualTo(Enqueued.QUEUED);

    eventually(() -> first.entries().size() == 2 && second.entries().size() == 2);
    assertThat(second.find("f1").orElseThrow().fix()).isEqualTo(fix("f1"));
  }

  @Test
  void aRemovedFixCanBeQueuedAgainUnderANewName() throws Exception {
    FixQueue queue = agents.queue(connect());
    QueuedFix before = queued(queue, "f1");

    assertThat(queue.remove(before)).isTrue();
    assertThat(queue.remove(before)).isFalse();
    eventually(() -> queue.find("f1").isEmpty());
    QueuedFix after = queued(queue, "f1");

    assertThat(after.name()).isNotEqualTo(before.name());
  }

  @Test
  void exactlyOneWinsARaceForAClaim() throws Exception {
    FixQueue first = agents.queue(connect());
    FixQueue second = agents.queue(connect());
    for (int round = 0; round < 50; round++) {
      String fixId = "f" + round;
      QueuedFix fix = queued(first, fixId);
      eventually(() -> second.find(fixId).isPresent());
      AtomicInteger winners = new AtomicInteger();
      CountDownLatch go = new CountDownLatch(1);
      Thread a = racer(first, fix, "a", go, winners);
      Thread b = racer(second, fix, "b", go, winners);
      Thread c = racer(second, fix, "b", go, winners);
      go.countDown();
      a.join();
      b.join();
      c.join();
      assertThat(winners).hasValue(1);
    }
  }

  @Test
  void progressIsSeenByOtherHostsAndCoalesced() throws Exception {
    ClusterConnection connection = connect();
    FixQueue worker = agents.queue(connection);
    FixQueue other = agents.queue(connect());
    QueuedFix fix = queued(worker, "f1");
    QueueClaim claim = worker.tryClaim(fix, claimant("a")).orElseThrow();

    for (int percent = 0; percent <= 100; percent++) {
      claim.progress("{\"percent\":" + percent + "}");
    }

    eventually(() -> progressOf(other, fix).equals(Optional.of("{\"percent\":100}")));
    assertThat(other.claimOn(fix).orElseThrow().version()).isLessThan(4);
    assertThat(other.claimOn(fix).orElseThrow().claimant()).isEqualTo(claimant("a"));
    assertThatThrownBy(() -> claim.progress("x".repeat(QueueClaim.PROGRESS_BYTES_MAX + 1)))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void aReleasedFixIsFreeForOtherHosts() throws Exception {
    FixQueue first = agents.queue(connect());
    FixQueue second = agents.queue(connect());
    QueuedFix fix = queued(first, "f1");
    QueueClaim claim = first.tryClaim(fix, claimant("a")).orElseThrow();
    eventually(() -> !second.claims().isEmpty());
    assertThat(second.tryClaim(fix, claimant("b"))).isEmpty();

    claim.release();
    assertThat(claim.valid()).isFalse();
    eventually(() -> second.claims().isEmpty());

    assertThat(second.tryClaim(fix, claimant("b"))).isPresent();
  }

  @Test
  void aClosedSessionFreesTheClaimInMilliseconds() throws Exception {
    ClusterConnection dying = connect();
    FixQueue worker = agents.queue(dying);
    FixQueue other = agents.queue(connect());
    QueuedFix fix = queued(worker, "f1");
    eventually(() -> other.find("f1").isPresent());
    QueueClaim claim = worker.tryClaim(fix, claimant("a")).orElseThrow();
    eventually(() -> !other.claims().isEmpty() && dying.session().isPresent());
    CountDownLatch taken = new CountDownLatch(1);
    AtomicLong freeAt = new AtomicLong();
    other.onChange(() -> {
      if (other.claims().isEmpty()) {
        freeAt.compareAndSet(0, System.nanoTime());
      }
      if (claimed(other, fix, "b")) {
        taken.countDown();
      }
    });

    long start = server.closeSession(dying.session().orElseThrow());
    assertThat(taken.await(20, TimeUnit.SECONDS)).isTrue();
    print(
        "listener called after the claimant's session was closed",
        millisBetween(start, freeAt.get()));

    eventually(() -> !claim.valid());
    assertThat(claim.ended()).contains("claimed by b");
  }

  @Test
  void aZombieCannotReleaseItsSuccessorsClaim() throws Exception {
    ClusterConnection dying = connect();
    FixQueue zombie = agents.queue(dying);
    FixQueue other = agents.queue(connect());
    QueuedFix fix = queued(zombie, "f1");
    HeldClaim stale = zombie.tryClaim(fix, claimant("a")).orElseThrow().held();
    zombie.close();
    eventually(() -> other.find("f1").isPresent() && other.claims().isEmpty());
    QueueClaim successor = other.tryClaim(fix, claimant("b")).orElseThrow();

    // The same name and the same version 0 as the zombie's own claim: only the fence differs.
    ClaimTaker taker = takerOf(dying);
    assertThat(successor.held().version()).isEqualTo(stale.version());
    Deadline deadline = Deadline.after(ClusterConnection.CALL_DEADLINE);
    taker.remove(deadline, stale.name(), stale.record());
    Write blind = Write.delete(taker.paths().claim(fix.name()), stale.version());
    Write check = taker.paths().stillFenced(fix.name(), stale.record().fence());

    assertThat(dying.store().commit(deadline, check, blind).done()).isFalse();
    assertThat(dying.store().read(deadline, taker.paths().claim(fix.name()))).isPresent();
    assertThat(successor.valid()).isTrue();
  }

  @Test
  void aZombiesReleaseAfterItsSessionEndedLeavesTheSuccessorAlone() throws Exception {
    ClusterConnection dying = connect();
    FixQueue zombie = agents.queue(dying);
    ClusterConnection living = connect();
    FixQueue other = agents.queue(living);
    QueuedFix fix = queued(zombie, "f1");
    eventually(() -> other.find("f1").isPresent() && dying.session().isPresent());
    QueueClaim claim = zombie.tryClaim(fix, claimant("a")).orElseThrow();
    CountDownLatch taken = new CountDownLatch(1);
    other.onChange(() -> {
      if (claimed(other, fix, "b")) {
        taken.countDown();
      }
    });
    server.closeSession(dying.session().orElseThrow());
    assertThat(taken.await(20, TimeUnit.SECONDS)).isTrue();

    claim.release();
    claim.progress("{}");
    eventually(() -> zombie.current() && zombie.claims().containsKey(fix.name()));
    zombie.close();

    assertThat(other.claimOn(fix).orElseThrow().claimant()).isEqualTo(claimant("b"));
    Deadline deadline = Deadline.after(ClusterConnection.CALL_DEADLINE);
    assertThat(living.store().read(deadline, takerOf(living).paths().claim(fix.name())))
        .isPresent();
  }

  @Test
  void aDanglingClaimIsStolen() throws Exception {
    ClusterConnection dangling = connect();
    FixQueue gone = agents.queue(dangling);
    ClusterConnection living = connect();
    FixQueue thief = agents.queue(living);
    HostRegistry registry = agents.registry(living);
    registry.register(host("b", "b-1"));
    QueuedFix fix = queued(gone, "f1");
    QueueClaim claim = gone.tryClaim(fix, claimant("a")).orElseThrow();
    eventually(() -> thief.claims().containsKey(fix.name()) && registry.incarnationLive("b-1"));
    ObservedClaim observed = thief.claimOn(fix).orElseThrow();
    assertThat(registry.incarnationLive(observed.claimant().incarnation())).isFalse();

    assertThat(thief.steal(fix, observed, claimant("b"))).isPresent();
    assertThat(thief.steal(fix, observed, claimant("b"))).isEmpty();

    eventually(() -> !claim.valid());
    assertThat(claim.ended()).contains("claimed by b");
    eventually(
        () -> thief.claimOn(fix).filter(now -> now.claimant().equals(claimant("b"))).isPresent());
  }

  @Test
  void aClaimThatMovedOnIsNotStolen() throws Exception {
    FixQueue worker = agents.queue(connect());
    FixQueue thief = agents.queue(connect());
    QueuedFix fix = queued(worker, "f1");
    QueueClaim claim = worker.tryClaim(fix, claimant("a")).orElseThrow();
    eventually(() -> thief.claims().containsKey(fix.name()));
    ObservedClaim observed = thief.claimOn(fix).orElseThrow();
    claim.progress("{}");
    eventually(() -> progressOf(thief, fix).isPresent());

    assertThat(thief.steal(fix, observed, claimant("b"))).isEmpty();
    assertThat(claim.valid()).isTrue();
  }

  @Test
  void removingAFixEndsItsClaim() throws Exception {
    FixQueue worker = agents.queue(connect());
    FixQueue manager = agents.queue(connect());
    QueuedFix fix = queued(worker, "f1");
    QueueClaim claim = worker.tryClaim(fix, claimant("a")).orElseThrow();
    CountDownLatch lost = new CountDownLatch(1);
    claim.onLost(reason -> lost.countDown());

    assertThat(manager.remove(fix)).isTrue();

    assertThat(lost.await(20, TimeUnit.SECONDS)).isTrue();
    assertThat(claim.ended()).contains("the fix left the queue");
    eventually(() -> manager.claims().isEmpty() && manager.entries().isEmpty());
  }

  @Test
  void aClaimOutlivesALostSession() throws Exception {
    ClusterConnection connection = connect();
    FixQueue worker = agents.queue(connection);
    QueuedFix fix = queued(worker, "f1");
    QueueClaim claim = worker.tryClaim(fix, claimant("a")).orElseThrow();
    claim.progress("{\"percent\":40}");
    eventually(() -> progressOf(worker, fix).isPresent() && connection.session().isPresent());
    SessionInfo before = connection.session().orElseThrow();

    server.closeSession(before);
    eventually(() ->
        connection.session().orElseThrow().sessionId() != before.sessionId()
            && worker.current()
            && worker.claims().containsKey(fix.name()));

    assertThat(claim.valid()).isTrue();
    assertThat(progressOf(worker, fix)).contains("{\"percent\":40}");
    claim.progress("{\"percent\":50}");
    eventually(() -> progressOf(worker, fix).equals(Optional.of("{\"percent\":50}")));
  }

  @Test
  void theQueueHasALimit() throws Exception {
    FixQueue queue = agents.queue(connect());
    long start = System.nanoTime();
    int full = 0;
    for (int i = 0; i < 1_000; i++) {
      if (queue.enqueue(fix("f" + i)) == Enqueued.FULL) {
        full++;
      }
    }
    print("1000 enqueue calls, 500 of them full", millisSince(start));

    assertThat(full).isEqualTo(1_000 - FixQueue.QUEUED_FIXES_MAX);
    eventually(() -> queue.entries().size() == FixQueue.QUEUED_FIXES_MAX);
    queue.remove(queue.find("f7").orElseThrow());
    assertThat(queue.enqueue(fix("late"))).isEqualTo(Enqueued.QUEUED);
    assertThat(queue.enqueue(fix("later"))).isEqualTo(Enqueued.FULL);
  }

  @Test
  void unknownFieldsAreToleratedAndKept() throws Exception {
    ClusterConnection connection = connect();
    FixQueue queue = agents.queue(connection);
    QueuePaths paths = takerOf(connection).paths();
    Deadline deadline = Deadline.after(ClusterConnection.CALL_DEADLINE);
    queued(queue, "f0");
    String json = new String(paths.fixes().encode(fix("f1")), StandardCharsets.UTF_8);
    byte[] newer =
        json.replaceFirst("\\{", "{\"fromTheFuture\":{\"a\":[1]},")
            .getBytes(StandardCharsets.UTF_8);
    connection.store().commit(deadline, Write.create(paths.fix("f1-n"), newer));
    eventually(() -> queue.find("f1").isPresent());

    assertThat(queue.tryClaim(queue.find("f1").orElseThrow(), claimant("a"))).isPresent();

    assertThat(connection.store().read(deadline, paths.fix("f1-n")).orElseThrow().content())
        .isEqualTo(newer);
  }

  private static ClaimTaker takerOf(ClusterConnection connection) {
    return new ClaimTaker(
        connection,
        new QueuePaths(
            connection.znodes().fixes(Agents.KEY), connection.znodes().claims(Agents.KEY)));
  }

  private static QueuedFix queued(FixQueue queue, String fixId) throws Exception {
    queue.enqueue(fix(fixId));
    eventually(() -> queue.find(fixId).isPresent());
    return queue.find(fixId).orElseThrow();
  }

  private static Optional<String> progressOf(FixQueue queue, QueuedFix fix) {
    return queue.claimOn(fix).flatMap(ObservedClaim::progress);
  }

  private static Thread racer(
      FixQueue queue, QueuedFix fix, String hostId, CountDownLatch go, AtomicInteger winners) {
    return Thread.ofPlatform()
        .start(() -> {
          try {
            go.await();
          } catch (InterruptedException interrupted) {
            throw new IllegalStateException(interrupted);
          }
          if (claimed(queue, fix, hostId)) {
            winners.incrementAndGet();
          }
        });
  }

  private static boolean claimed(FixQueue queue, QueuedFix fix, String hostId) {
    try {
      return queue.tryClaim(fix, claimant(hostId)).isPresent();
    } catch (ClusterUnavailableException unavailable) {
      throw new IllegalStateException(unavailable);
    }
  }
}
