package io.quarry.agent.chaos;

import io.quarry.agent.chaos.ChaosReport.Calls;
import io.quarry.agent.chaos.ChaosReport.Latency;
import io.quarry.agent.chaos.Invocation.Outcome;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/** Counts the events of a run. */
record Summary(
    ChaosOptions options, History history, FaultLane faults, LogWatch log, WorkWatch.Work work) {

  ChaosReport report(List<String> missing, int compared, Duration settled) {
    List<Invocation> calls = history.calls();
    return new ChaosReport(
        options.seed(),
        options.duration(),
        history.moments(),
        missing,
        faults.counts(),
        faults.counts().entrySet().stream()
            .filter(each -> each.getKey().kills())
            .mapToInt(Map.Entry::getValue)
            .sum(),
        faults.lives(),
        faults.zombies(),
        byOperation(calls),
        count(calls, Outcome.ACKNOWLEDGED),
        count(calls, Outcome.REFUSED),
        (int) calls.stream().filter(Invocation::unknownAtFirst).count(),
        log.commits(),
        work.takeovers(),
        Latency.of(work.taken()),
        work.movedBytes(),
        work.redoneBytes(),
        compared,
        settled,
        history.violations());
  }

  private static int count(List<Invocation> calls, Outcome outcome) {
    return (int) calls.stream().filter(call -> call.outcome() == outcome).count();
  }

  private static List<Calls> byOperation(List<Invocation> calls) {
    return calls.stream()
        .collect(Collectors.groupingBy(call -> call.operation, TreeMap::new, Collectors.toList()))
        .entrySet()
        .stream()
        .map(each -> of(each.getKey(), each.getValue()))
        .toList();
  }

  private static Calls of(String operation, List<Invocation> calls) {
    Map<String, Integer> refused =
        calls.stream()
            .filter(call -> call.outcome() == Outcome.REFUSED)
            .collect(
                Collectors.groupingBy(
                    call -> String.valueOf(call.code()), Collectors.summingInt(call -> 1)));
    List<Duration> latencies =
        calls.stream()
            .filter(call -> call.outcome() == Outcome.ACKNOWLEDGED && call.tries() == 1)
            .map(call -> Duration.ofNanos(call.firstNanos()))
            .toList();
    return new Calls(
        operation,
        count(calls, Outcome.ACKNOWLEDGED),
        refused,
        (int) calls.stream().filter(Invocation::unknownAtFirst).count(),
        Latency.of(latencies));
  }
}
