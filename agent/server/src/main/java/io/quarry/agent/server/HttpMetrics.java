package io.quarry.agent.server;

import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** Counts and latencies per operation and status. */
final class HttpMetrics {
  private static final Duration[] BUCKETS = {
    Duration.ofNanos(250_000),
    Duration.ofNanos(500_000),
    Duration.ofMillis(1),
    Duration.ofMillis(2),
    Duration.ofMillis(5),
    Duration.ofMillis(10),
    Duration.ofMillis(25),
    Duration.ofMillis(50),
    Duration.ofMillis(100),
    Duration.ofMillis(250),
    Duration.ofSeconds(1),
    Duration.ofSeconds(5),
    Duration.ofSeconds(30),
    Duration.ofSeconds(60)
  };

  private record Key(String operation, int status) {}

  private final MeterRegistry registry;
  private final Map<Key, Timer> timers = new ConcurrentHashMap<>();

  HttpMetrics(
      MeterRegistry registry,
      Admission calls,
      Admission waits,
      Admission transfers,
      Admission streams) {
    this.registry = registry;
    registry.gauge("quarry.http.in.flight", calls, Admission::inFlight);
    registry.gauge("quarry.http.waiting", waits, Admission::inFlight);
    registry.gauge("quarry.http.transfers", transfers, Admission::inFlight);
    registry.gauge("quarry.http.streams", streams, Admission::inFlight);
  }

  void record(String operation, int status, long nanos) {
    timers.computeIfAbsent(new Key(operation, status), this::timer).record(Duration.ofNanos(nanos));
  }

  private Timer timer(Key key) {
    return Timer.builder("quarry.http.requests")
        .description("Requests by operation and status")
        .tag("operation", key.operation())
        .tag("status", Integer.toString(key.status()))
        .serviceLevelObjectives(BUCKETS)
        .register(registry);
  }
}
