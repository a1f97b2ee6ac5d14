package io.quarry.agent.chaos;

import io.quarry.agent.chaos.ChaosReport.Moment;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.Consumer;

/** The record of a run: calls, events for the report, and violations. Thread-safe. */
final class History {
  private final long began = System.nanoTime();
  private final Consumer<Moment> audience;
  private final Queue<Invocation> calls = new ConcurrentLinkedQueue<>();
  private final Queue<Moment> moments = new ConcurrentLinkedQueue<>();
  private final Queue<String> violations = new ConcurrentLinkedQueue<>();

  History(Consumer<Moment> audience) {
    this.audience = audience;
  }

  Invocation begin(String operation, String repoId, String requestId) {
    Invocation call = new Invocation(operation, repoId, requestId, System.nanoTime());
    calls.add(call);
    return call;
  }

  void moment(String text) {
    Moment moment = new Moment(Duration.ofNanos(System.nanoTime() - began), text);
    moments.add(moment);
    audience.accept(moment);
  }

  void violation(String text) {
    violations.add(text);
    moment("VIOLATION: " + text);
  }

  List<Invocation> calls() {
    return new ArrayList<>(calls);
  }

  List<Moment> moments() {
    return List.copyOf(moments);
  }

  List<String> violations() {
    return List.copyOf(violations);
  }
}
