package io.quarry.coordinator.cluster;

import static org.awaitility.Awaitility.await;

import io.quarry.coordinator.thread.Supervisor;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.function.Supplier;

/** Opens connections and their users, and closes all of them in reverse order. */
final class Agents implements AutoCloseable {
  static final Duration SESSION = Duration.ofSeconds(4);
  static final Duration SOON = Duration.ofSeconds(20);
  static final String KEY = "0123456789abcdef";
  static final Clock CLOCK = Clock.systemUTC();
  static final Supplier<String> NONCES = () -> UUID.randomUUID().toString().replace("-", "");

  final Supervisor supervisor = new Supervisor();
  private final Deque<AutoCloseable> open = new ArrayDeque<>();

  <T extends AutoCloseable> T add(T closeable) {
    open.push(closeable);
    return closeable;
  }

  ClusterConnection connect(String connectString) throws InterruptedException {
    ClusterConnection connection = add(ClusterConnection.open(connectString, SESSION, supervisor));
    connection.awaitConnected(SOON);
    return connection;
  }

  HostRegistry registry(ClusterConnection connection) {
    HostRegistry registry = add(new HostRegistry(connection, CLOCK));
    registry.start();
    return registry;
  }

  FixQueue queue(ClusterConnection connection) {
    FixQueue queue = add(new FixQueue(connection, KEY, CLOCK, NONCES));
    queue.start();
    eventually(queue::current);
    return queue;
  }

  HeadHint head(ClusterConnection connection) {
    HeadHint head = add(new HeadHint(connection, KEY));
    head.start();
    return head;
  }

  Election election(ClusterConnection connection, String hostId, ElectionListener listener) {
    Election election = add(new Election(connection, KEY, candidate(hostId), listener));
    election.start();
    return election;
  }

  static Candidate candidate(String hostId) {
    return new Candidate(hostId, hostId + "-1", "http://" + hostId + ":8080");
  }

  static Claimant claimant(String hostId) {
    return new Claimant(hostId, hostId + "-1");
  }

  static HostRecord host(String hostId, String incarnation) {
    return new HostRecord(
        hostId,
        incarnation,
        "http://" + hostId + ":8080",
        Instant.parse("2026-01-01T00:00:00Z"),
        Map.of(KEY, new RepositoryOnHost("fast", "localfs-1.0", true)),
        HostLoad.NONE,
        "0.1.0",
        null,
        null);
  }

  static FixEntry fix(String fixId) {
    Instant now = Instant.parse("2026-01-01T00:00:00Z");
    return new FixEntry(fixId, "mend", 5, "image-" + fixId, 0, now, now, true, Set.of(KEY));
  }

  static void eventually(Supplier<Boolean> condition) {
    await()
        .atMost(SOON)
        .pollDelay(Duration.ZERO)
        .pollInterval(Duration.ofMillis(2))
        .until(condition::get);
  }

  /**
   * Waits for the given time, to show that something does not happen: there is no other condition.
   */
  static void pass(Duration duration) {
    long start = System.nanoTime();
    await()
        .atMost(duration.plus(SOON))
        .until(() -> System.nanoTime() - start >= duration.toNanos());
  }

  static long millisSince(long startNanos) {
    return millisBetween(startNanos, System.nanoTime());
  }

  static long millisBetween(long startNanos, long endNanos) {
    return Duration.ofNanos(endNanos - startNanos).toMillis();
  }

  @Override
  public void close() {
    while (!open.isEmpty()) {
      try {
        open.pop().close();
      } catch (Exception failure) {
        throw new IllegalStateException(failure);
      }
    }
  }
}
