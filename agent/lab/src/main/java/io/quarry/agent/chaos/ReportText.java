package io.quarry.agent.chaos;

import io.quarry.agent.chaos.ChaosReport.Calls;
import io.quarry.agent.chaos.ChaosReport.Latency;
import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** The report as text. */
public final class ReportText {
  private static final double MIB = 1 << 20;

  private ReportText() {}

  /** The report without the timeline, which was printed during the run. */
  public static String of(ChaosReport report) {
    StringBuilder text = new StringBuilder("\nFaults\n");
    report.faults().entrySet().stream()
        .sorted(Map.Entry.comparingByKey())
        .forEach(each -> line(text, FaultNames.of(each.getKey()), each.getValue().toString()));
    report.missing().forEach(why -> line(text, "not tried", why));
    text.append("\nCalls\n");
    report.calls().forEach(each -> line(text, each.operation(), calls(each)));
    text.append("\nFigures\n");
    line(text, "seed", "%d, %s of faults".formatted(report.seed(), seconds(report.duration())));
    line(text, "kills", kills(report));
    line(text, "commits", String.valueOf(report.commits()));
    line(text, "unknown at first", report.unknown() + " calls, each repeated under its request id");
    line(
        text,
        "zombies",
        "%d workers woke up when others had published their work (%.0f %% of kills)"
            .formatted(report.zombies(), 100.0 * report.zombies() / Math.max(1, report.kills())));
    line(
        text,
        "takeovers",
        report.takeovers()
            + (report.takeover() == null
                ? ""
                : ", SIGKILL to the next claim: " + latency(report.takeover())));
    line(
        text,
        "work",
        "%.1f MiB moved as the hosts told it, at most %.1f MiB of it twice"
            .formatted(report.movedBytes() / MIB, report.redoneBytes() / MIB));
    line(text, "compared", report.compared() + " images, byte by byte, when all was done");
    line(text, "at rest after", seconds(report.settled()));
    report.violations().forEach(each -> line(text, "VIOLATION", each));
    return text.append('\n').append(report.verdict()).append('\n').toString();
  }

  private static String kills(ChaosReport report) {
    return String.format(
        Locale.ROOT,
        "%d, of %d processes: %.2f a second, %.1f calls acknowledged for each",
        report.kills(),
        report.killed(),
        1000.0 * report.kills() / report.duration().toMillis(),
        1.0 * report.acknowledged() / Math.max(1, report.kills()));
  }

  public static String moment(ChaosReport.Moment moment) {
    return String.format(
        Locale.ROOT, "%8.2f s  %s", moment.at().toMillis() / 1000.0, moment.text());
  }

  private static String calls(Calls calls) {
    String refused =
        calls.refused().entrySet().stream()
            .sorted(Map.Entry.comparingByKey())
            .map(each -> each.getValue() + " " + each.getKey())
            .collect(Collectors.joining(", "));
    return "%5d acknowledged%s%s%s"
        .formatted(
            calls.acknowledged(),
            calls.latency() == null ? "" : " (" + latency(calls.latency()) + ")",
            calls.unknown() == 0 ? "" : ", " + calls.unknown() + " unknown at first",
            refused.isEmpty() ? "" : ", refused: " + refused);
  }

  private static String latency(@Nullable Latency latency) {
    return latency == null
        ? ""
        : String.format(
            Locale.ROOT,
            "p50 %d ms, p99 %d ms, max %d ms of %d",
            latency.p50().toMillis(),
            latency.p99().toMillis(),
            latency.max().toMillis(),
            latency.count());
  }

  private static String seconds(Duration duration) {
    return String.format(Locale.ROOT, "%.1f s", duration.toMillis() / 1000.0);
  }

  private static void line(StringBuilder text, String name, String value) {
    text.append(String.format(Locale.ROOT, "  %-22s%s%n", name, value));
  }
}
